"""Files of leads turned into profiles, one row at a time. Knows formats; decides nothing about leads."""
