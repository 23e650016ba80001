"""The embedded lab: one rootless process tree of namespaces, nodes made from images, real daemons."""
