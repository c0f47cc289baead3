"""The guide: the pages of the folder docs as HTML, in one archive that `script/docs` builds."""
