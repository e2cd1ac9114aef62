"""Lints: what a careful colleague would say of a spec that compiles. Rules are small functions over what it means."""
