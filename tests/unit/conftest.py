"""How property tests run: a busy machine makes none of them fail, which says nothing about what they hold."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("bgpsim", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bgpsim")
