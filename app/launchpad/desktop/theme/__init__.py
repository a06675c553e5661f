"""How it looks: the design tokens as colours, fonts, a style sheet and icons. The only package with colours."""
