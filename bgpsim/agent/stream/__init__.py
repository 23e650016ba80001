"""A steady stream of numbered packets per pair, sent and watched by two processes of their own, told in runs."""
