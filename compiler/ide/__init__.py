"""What an editor asks about a spec (what is this, what may stand here, where else is it), answered on values. Knows no protocol."""
