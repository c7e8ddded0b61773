"""SQL lives here and nowhere else: tables, engines, migrations, and the writer."""
