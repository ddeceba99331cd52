"""A curriculum of one small lesson, on which the kit itself is tested."""
