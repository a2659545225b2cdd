"""Pools from which the generated house draws names, addresses and words.

Everything is invented. Telephone numbers come from the blocks that the Bundesnetzagentur keeps
free for films, mail addresses from the domains reserved for examples: nobody can be reached.
"""

from __future__ import annotations

import unicodedata

WOMEN = (
    "Anna", "Bärbel", "Brigitte", "Claudia", "Doreen", "Elke", "Franziska", "Gabriele", "Hannelore",
    "Heike", "Ines", "Jana", "Jördis", "Karin", "Käthe", "Laura", "Lisa", "Magdalena", "Marie-Luise",
    "Martina", "Monika", "Nicole", "Petra", "Renate", "Sabine", "Silke", "Sophie", "Stefanie", "Susanne",
    "Ursula", "Ute", "Anne-Kathrin",
)  # fmt: skip
MEN = (
    "Achim", "Andreas", "Bernd", "Björn", "Christian", "Daniel", "Detlef", "Dieter", "Frank", "Günther",
    "Hans-Jürgen", "Heinz", "Holger", "Jan", "Jens", "Jörg", "Jürgen", "Karl-Heinz", "Klaus", "Lars",
    "Ludwig", "Markus", "Matthias", "Michael", "Norbert", "Peter", "Ralf", "Rainer", "Rüdiger", "Stefan",
    "Thomas", "Uwe", "Volker", "Wolfgang",
)  # fmt: skip
SURNAMES = (
    "Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schulz", "Hoffmann",
    "Schäfer", "Koch", "Bauer", "Richter", "Klein", "Wolf", "Schröder", "Neumann", "Schwarz", "Zimmermann",
    "Braun", "Krüger", "Hofmann", "Hartmann", "Lange", "Schmitt", "Werner", "Krause", "Lehmann", "Köhler",
    "Huber", "Kaiser", "Fuchs", "Peters", "Lang", "Scholz", "Möller", "Weiß", "Jung", "Hahn", "Vogel",
    "Keller", "Günther", "Frank", "Berger", "Winkler", "Roth", "Beck", "Lorenz", "Baumann", "Franke",
    "Albrecht", "Ludwig", "Winter", "Simon", "Böhm", "Kraus", "Schumacher", "Krämer", "Vogt", "Stein",
    "Jäger", "Großmann", "Sommer", "Groß", "Seidel", "Heinrich", "Brandt", "Haas", "Strauß", "Dietrich",
    "Ziegler", "Kühn", "Pohl", "Engel", "Horn", "Busch", "Bergmann", "Voß", "Sauer", "Arnold", "Pfeiffer",
    "Äckerle", "Öttl", "Übelacker", "Nußbaumer", "Kißling", "Hößl",
)  # fmt: skip
LONG_SURNAMES = (
    "Freifrau von und zu Hohenwaldeck-Thannhausen", "von der Mühlen", "zur Linden", "van der Veldt",
    "O'Brien", "O'Süllivan", "D'Angelo", "Mc Allister", "de la Peña", "Ní Dhomhnaill",
)  # fmt: skip
TURKISH_WOMEN = (
    "Ayşe",
    "Çiğdem",
    "Elif",
    "Fatma",
    "Gülşen",
    "İpek",
    "Işıl",
    "Nuray",
    "Özlem",
    "Şule",
    "Yağmur",
)
TURKISH_MEN = ("Ahmet", "Barış", "Çağlar", "Erdoğan", "Hüseyin", "İlhan", "Mustafa", "Ömer", "Şükrü", "Uğur")
TURKISH_SURNAMES = (
    "Yılmaz", "Kaya", "Şahin", "Çelik", "Yıldız", "Öztürk", "Aydın", "Doğan", "Kılıç", "Arslan", "Çetin",
    "Koç", "Işık", "Gündoğdu", "Başaran", "Türkoğlu", "Ağaoğlu",
)  # fmt: skip
POLISH_WOMEN = (
    "Agnieszka",
    "Bożena",
    "Elżbieta",
    "Grażyna",
    "Jadwiga",
    "Katarzyna",
    "Małgorzata",
    "Wiesława",
)
POLISH_MEN = (
    "Bogusław",
    "Grzegorz",
    "Jarosław",
    "Łukasz",
    "Michał",
    "Paweł",
    "Stanisław",
    "Wojciech",
    "Żdzisław",
)
POLISH_SURNAMES = (
    "Nowak", "Kowalczyk", "Wójcik", "Woźniak", "Mazur", "Gołębiowska", "Dąbrowski", "Kaczyński", "Wiśniewska",
    "Zieliński", "Jabłoński", "Łukasik", "Żak", "Błaszczyk", "Kołodziej", "Pawłowski", "Szymański",
    "Sobczyńska",
)  # fmt: skip

CITIES = (
    ("80331", "München", "Bayern"), ("90402", "Nürnberg", "Bayern"), ("86150", "Augsburg", "Bayern"),
    ("97070", "Würzburg", "Bayern"), ("93047", "Regensburg", "Bayern"), ("83022", "Rosenheim", "Bayern"),
    ("70173", "Stuttgart", "Baden-Württemberg"), ("76131", "Karlsruhe", "Baden-Württemberg"),
    ("79098", "Freiburg im Breisgau", "Baden-Württemberg"), ("10115", "Berlin", "Berlin"),
    ("12043", "Berlin", "Berlin"), ("14467", "Potsdam", "Brandenburg"), ("28195", "Bremen", "Bremen"),
    ("20095", "Hamburg", "Hamburg"), ("60311", "Frankfurt am Main", "Hessen"), ("34117", "Kassel", "Hessen"),
    ("18055", "Rostock", "Mecklenburg-Vorpommern"), ("30159", "Hannover", "Niedersachsen"),
    ("38100", "Braunschweig", "Niedersachsen"), ("37073", "Göttingen", "Niedersachsen"),
    ("40213", "Düsseldorf", "Nordrhein-Westfalen"), ("44135", "Dortmund", "Nordrhein-Westfalen"),
    ("50667", "Köln", "Nordrhein-Westfalen"), ("48143", "Münster", "Nordrhein-Westfalen"),
    ("45468", "Mülheim an der Ruhr", "Nordrhein-Westfalen"), ("55116", "Mainz", "Rheinland-Pfalz"),
    ("66111", "Saarbrücken", "Saarland"), ("01067", "Dresden", "Sachsen"), ("02826", "Görlitz", "Sachsen"),
    ("04109", "Leipzig", "Sachsen"), ("39104", "Magdeburg", "Sachsen-Anhalt"),
    ("24103", "Kiel", "Schleswig-Holstein"), ("23552", "Lübeck", "Schleswig-Holstein"),
    ("99084", "Erfurt", "Thüringen"),
)  # fmt: skip
"""Postal code, city, federal state."""

FOREIGN_CITIES = (
    ("1010", "Wien", "Österreich"), ("5020", "Salzburg", "Österreich"), ("6020", "Innsbruck", "Österreich"),
    ("8001", "Zürich", "Schweiz"), ("50-062", "Wrocław", "Polen"), ("90-001", "Łódź", "Polen"),
    ("39100", "Bozen", "Italien"),
)  # fmt: skip
"""Postal code, city, country."""

STREETS = (
    "Hauptstraße", "Bahnhofstraße", "Gartenweg", "Schulstraße", "Dorfstraße", "Bergstraße", "Birkenweg",
    "Lindenallee", "Kirchplatz", "Waldstraße", "Am Mühlbach", "Goethestraße", "Schillerstraße", "Rosenweg",
    "Ährenfeld", "Auf der Höhe", "Zum Kälberbrünnl", "Straße der Einheit", "Ötztaler Weg", "Große Gasse",
)  # fmt: skip
LANDLINES = ("030 23125", "069 90009", "040 66969", "0221 4710", "089 99998")
"""Each followed by three free digits."""
MOBILES = (
    "0152 28817386", "0152 28895456", "0152 54599371", "0172 9925904", "0172 9968532", "0172 9973185",
    "0173 9480576", "0174 9464308", "0175 4992020",
)  # fmt: skip
MAIL_DOMAINS = ("example.org", "post.example.org", "mail.invalid", "familie.invalid")
DUTY_STATIONS = (
    "Polizeiinspektion 11", "Polizeipräsidium Mitte", "Polizeirevier Süd",
    "Bundespolizeiinspektion Flughafen",
    "Wasserschutzpolizei", "Autobahnpolizeistation", "Bereitschaftspolizei, 2. Hundertschaft",
    "Landeskriminalamt",
)  # fmt: skip
PROFESSIONS = (
    "Polizeibeamter", "Polizeibeamtin", "Verwaltungsangestellte", "Ruhestand", "Tarifbeschäftigter",
    "Zollbeamtin",
)  # fmt: skip
GUEST_NOTES = (
    "Allergisch gegen Federn.", "Kommt meistens mit dem Zug.", "Bitte ruhiges Zimmer.",
    "Stammgast seit 2009.",
    "Rollstuhl: nur Erdgeschoss.", "Rechnung bitte an den Landesverband [Kasse].",
)  # fmt: skip
BOOKING_NOTES = (
    "Späte Anreise gegen 22 Uhr.", "Hund kommt mit.", "Kinderbett aufstellen.", "Zahlt bar bei Abreise.",
    "Möchte wieder das gleiche Zimmer.", "Vegetarisches Frühstück.",
    "Anreise mit Motorrad, Stellplatz nötig.",
    "Schlüssel im Tresor hinterlegen.\nCode per Telefon durchgeben.",
)  # fmt: skip
CANCELLATION_REASONS = (
    "Krankheit", "Dienstplan geändert", "Doppelt gebucht", "Reise verschoben", "Keine Angabe",
    "Todesfall in der Familie",
    "Option nicht bestätigt",
)  # fmt: skip
DEFECTS = (
    "Heizung",
    "Wasserschaden im Bad",
    "Maler",
    "Fenster undicht",
    "Neuer Boden",
    "Schimmel wird saniert",
)
HOUSE_USES = ("Hausmeister", "Vorstandssitzung", "Seminar der Stiftung", "Besichtigung", "Praktikantin")

MOUNTAINS = (
    "Zugspitze", "Wendelstein", "Watzmann", "Kampenwand", "Hochries", "Heuberg", "Brünnstein", "Rotwand",
    "Hirschberg",
    "Wallberg", "Risserkogel", "Geigelstein", "Breitenstein", "Säntis", "Hochgern", "Spitzingsee",
    "Tegernsee",
    "Schliersee", "Jägerkamp", "Aiplspitz",
)  # fmt: skip

STAFF = (
    ("Bärbel", "Aschenbrenner"), ("Jürgen", "Thalhammer"), ("Sevgi", "Özdemir"), ("Krzysztof", "Wróbel"),
    ("Annegret", "Kirchhoff"), ("Matthias", "Lindner"), ("Ulrike", "Weißenborn"), ("Holger", "Petersen"),
)  # fmt: skip
"""First and last name of invented members of staff."""

PASSWORD_WORDS = (
    "Abend", "Adler", "Almhof", "Amsel", "Anker", "Apfel", "Bach", "Balkon", "Berg", "Birke", "Boot",
    "Brotzeit", "Brunnen", "Buche", "Dachs", "Distel", "Drossel", "Eiche", "Enzian", "Esel", "Falke",
    "Farn", "Feder", "Felsen", "Fichte", "Fluss", "Forelle", "Garten", "Gemse", "Gipfel", "Glocke", "Hafen",
    "Hase", "Herbst", "Himmel", "Honig", "Igel", "Insel", "Kachel", "Kamin", "Kastanie", "Kiesel",
    "Klee", "Krone", "Lampe", "Laterne", "Linde", "Luchs", "Marder", "Mond", "Moos", "Murmel", "Nebel",
    "Ofen", "Otter", "Pilz", "Quelle", "Regen", "Rucksack", "Schnee", "Segel", "Sonne", "Stern", "Tanne",
    "Ufer", "Veilchen", "Wiese", "Wolke", "Zelt", "Ziege",
)  # fmt: skip

_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ł": "l", "ı": "i"})


def plain(name: str) -> str:
    """The name as people write it in a mail address or a user name."""
    letters = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS))
    return "".join(letter for letter in letters if letter.isascii() and (letter.isalnum() or letter == "-"))
