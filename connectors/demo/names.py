"""People and places of the demo. Nobody in it is real: mail is at example.com and example.org, and
phone numbers are from the ranges that Ofcom keeps for films (https://www.ofcom.org.uk, "numbers for
use in TV and radio drama")."""

from __future__ import annotations

from dataclasses import dataclass

# First names and surnames that go together, by the families' origins.
FAMILIES: tuple[tuple[str, str], ...] = (
    (
        "Alice Amelia Ben Charlotte Chloe Daniel Eleanor Emily George Grace Hannah Harry Isla Jack "
        "James Lucy Martha Oliver Rosie Sam Sophie Thomas Will Zoe",
        "Atkinson Baker Barnes Bennett Carter Clarke Cooper Dixon Foster Green Harrison Jackson "
        "Kirby Marsh Mitchell Palmer Parker Robinson Shaw Taylor Turner Walker Webb Wright",
    ),
    (
        "Ailsa Callum Catriona Eilidh Ewan Fiona Hamish Iona Kirsty Rory",
        "Campbell Fraser Lennox MacDonald Mackenzie Murray Ross Sinclair Stewart Wallace",
    ),
    (
        "Bethan Carys Dylan Ffion Gareth Megan Owain Rhys Seren Sian",
        "Bevan Davies Evans Griffiths Jenkins Lloyd Morgan Powell Pritchard Rees",
    ),
    (
        "Aoife Ciara Conor Declan Niamh Orla Padraig Sean Sinead Siobhan",
        "Brennan Byrne Doyle Flynn Gallagher Kearney Kelly Murphy Nolan Quinn",
    ),
    (
        "Aisha Amir Anjali Arjun Deepa Farah Imran Kavita Meera Nadia Ravi Rohan Sana Vikram Zara",
        "Ahmed Akhtar Begum Chaudhry Das Hussain Iqbal Joshi Khan Mehta Nair Patel Rahman Singh "
        "Verma",
    ),
    (
        "Abena Ade Chidi Efua Emeka Folake Ify Kwame Ngozi Tunde",
        "Adeyemi Asante Balogun Boateng Eze Mensah Nwosu Obi Owusu Sesay",
    ),
    (
        "Andre Candice Delroy Jermaine Keisha Leon Marcia Simone Tanya Winston",
        "Blake Brown Campbell Francis Gordon Grant Henry Joseph Lewis Powell",
    ),
    (
        "Agnieszka Andrei Elena Ioana Jakub Katarzyna Marek Mihai Ola Tomasz",
        "Dumitru Ionescu Kaminska Lewandowski Mazur Nowak Popescu Wojcik Zielinska Zajac",
    ),
    (
        "Chen Hana Jun Kai Lin Mei Minh Thuy Wei Yuki",
        "Chan Cheung Lau Li Nguyen Tanaka Tran Wang Wong Zhang",
    ),
    (
        "Ana Beatriz Carlos Dimitri Giulia Lucia Marco Nikos Pedro Sofia",
        "Costa Fernandes Garcia Georgiou Lopez Moretti Papadakis Ricci Silva Santos",
    ),
)

STREETS: tuple[str, ...] = (
    "Acacia Road", "Albert Street", "Ashfield Avenue", "Beech Grove", "Bridge Street",
    "Brookside Close", "Cavendish Road", "Cedar Way", "Chapel Lane", "Church Street",
    "Clarence Terrace", "Cromwell Road", "Derwent Drive", "Elm Grove", "Fairfield Road",
    "Garden Crescent", "George Street", "Grange Road", "Hawthorn Lane", "High Street",
    "Kingsway", "Lime Avenue", "Manor Road", "Market Place", "Meadow View", "Mill Lane",
    "Nelson Street", "Oakfield Road", "Orchard Close", "Park Road", "Priory Street",
    "Queens Road", "Regent Terrace", "Rosebery Avenue", "School Lane", "Spring Gardens",
    "St Johns Road", "Station Road", "The Crescent", "Victoria Road", "Warwick Street",
    "Wellington Road", "West View", "Windsor Drive", "Woodland Rise", "York Place",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Town:
    """A town with the outward halves of its postcodes."""

    name: str
    outward: tuple[str, ...]


TOWNS: tuple[Town, ...] = (
    Town("London", ("E8", "E17", "N16", "NW5", "SE15", "SE22", "SW4", "SW18", "W12")),
    Town("Manchester", ("M14", "M20", "M21", "M33")),
    Town("Birmingham", ("B13", "B14", "B17", "B29")),
    Town("Leeds", ("LS6", "LS7", "LS8", "LS16")),
    Town("Bristol", ("BS3", "BS5", "BS6", "BS7")),
    Town("Edinburgh", ("EH3", "EH6", "EH9", "EH10")),
    Town("Glasgow", ("G11", "G12", "G41")),
    Town("Cardiff", ("CF5", "CF14", "CF24")),
    Town("Belfast", ("BT7", "BT9")),
    Town("Liverpool", ("L15", "L17", "L18")),
    Town("Sheffield", ("S7", "S10", "S11")),
    Town("Nottingham", ("NG2", "NG5", "NG7")),
    Town("Newcastle upon Tyne", ("NE2", "NE3", "NE6")),
    Town("Brighton", ("BN1", "BN2", "BN3")),
    Town("Norwich", ("NR2", "NR3")),
    Town("York", ("YO10", "YO24", "YO31")),
)

# Letters that postcodes use after their inward digit.
INWARD_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
