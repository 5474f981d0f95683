"""The portfolio before it counts: what trips people (lint), what a change would do (trial)."""
