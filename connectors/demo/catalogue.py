"""What Juniper & Co sells: ten categories of ten articles, each in four of the house's lines."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

CLOTHES = ("XS", "S", "M", "L", "XL")
WAISTS = ("28", "30", "32", "34", "36")
SHOES = ("3", "4", "5", "6", "7", "8", "9", "10")
BEDS = ("Single", "Double", "King")
ONE_SIZE = ("One size",)
SIZE_CODES = {"Single": "SGL", "Double": "DBL", "King": "KNG", "One size": "OS"}

COLOURS = {
    "Navy": "NVY", "Blue": "BLU", "Black": "BLK", "Grey": "GRY", "Green": "GRN", "Red": "RED",
    "Cream": "CRM", "White": "WHT", "Tan": "TAN", "Burgundy": "BUR", "Mustard": "MUS",
    "Pink": "PNK",
}  # fmt: skip

# The house's lines; an article's line says how it is made.
LINES = {
    "Rowan": "our everyday line, made to be worn a lot",
    "Hazel": "a relaxed cut in natural fibres",
    "Alder": "made from recycled fibres",
    "Willow": "finely made, our best",
}
_LINE_FACTORS = (Decimal("1.00"), Decimal("1.10"), Decimal("0.90"), Decimal("1.45"))


@dataclass(frozen=True, slots=True)
class Article:
    """One kind of thing.

    Attributes:
        name: What it is called after its line.
        price: Pounds, in the everyday line.
        text: What it is, with other words that people use for it.
    """

    name: str
    price: int
    text: str


@dataclass(frozen=True, slots=True)
class Category:
    """Articles that share sizes, a warranty and a picture."""

    name: str
    sizes: tuple[str, ...]
    warranty_months: int
    articles: tuple[Article, ...]


def price_of(article: Article, line: int, size: str) -> Decimal:
    """The price of an article in a line, with the ending that shops use."""
    larger = {"Double": 15, "King": 25}.get(size, 0)
    pounds = int((article.price + larger) * _LINE_FACTORS[line])
    return Decimal(pounds) - Decimal("0.05") if pounds < 100 else Decimal(pounds)


CATEGORIES: tuple[Category, ...] = (
    Category("coats", CLOTHES, 24, (
        Article("Winter Coat", 129, "A long padded coat for cold days, with a warm lining."),
        Article("Wool Coat", 149, "A straight overcoat in a wool blend with two deep pockets."),
        Article("Trench Coat", 119, "A belted mac in showerproof cotton."),
        Article("Puffer Jacket", 99, "A light quilted down coat that packs small."),
        Article("Denim Jacket", 65, "A classic jean jacket with metal buttons."),
        Article("Leather Jacket", 189, "A biker jacket in soft lamb leather."),
        Article("Raincoat", 79, "A waterproof jacket with taped seams and a hood."),
        Article("Parka", 110, "A hooded parka with a drawcord at the waist."),
        Article("Gilet", 59, "A sleeveless body warmer to wear over a jumper."),
        Article("Blazer", 89, "A tailored jacket, half lined; the waistcoat is sold apart."),
    )),
    Category("knitwear", CLOTHES, 12, (
        Article("Lambswool Jumper", 59, "A crew-neck sweater, soft and warm."),
        Article("Cashmere Jumper", 110, "A fine pullover in pure cashmere."),
        Article("Roll Neck Jumper", 55, "A polo-neck sweater in merino."),
        Article("Cable Knit Jumper", 65, "A chunky Aran sweater."),
        Article("Cardigan", 49, "A buttoned cardigan with pockets."),
        Article("Hoodie", 45, "A hooded sweatshirt, brushed inside."),
        Article("Sweatshirt", 39, "A plain sweatshirt in heavy cotton."),
        Article("Knitted Vest", 42, "A sleeveless tank top to wear over a shirt."),
        Article("Striped Jumper", 52, "A Breton sweater in cotton."),
        Article("Zip Neck Fleece", 48, "A light fleece for walks."),
    )),
    Category("tops", CLOTHES, 12, (
        Article("Linen Shirt", 45, "A shirt in washed linen for warm days."),
        Article("Oxford Shirt", 42, "A button-down shirt in heavy cotton."),
        Article("Denim Shirt", 46, "A shirt in light denim with snaps."),
        Article("Polo Shirt", 32, "A short-sleeved piqué polo."),
        Article("T-Shirt", 18, "A plain tee in organic cotton."),
        Article("Long Sleeve Top", 24, "A close-fitting jersey tee with long sleeves."),
        Article("Silk Blouse", 75, "A loose blouse in washed silk."),
        Article("Vest Top", 14, "A ribbed camisole with wide straps."),
        Article("Tunic", 48, "A long top with side slits."),
        Article("Pyjamas", 38, "A nightwear set, shirt and bottoms; also as a nightie."),
    )),
    Category("trousers", WAISTS, 12, (
        Article("Slim Jeans", 59, "Stretch denim, close at the leg."),
        Article("Straight Jeans", 59, "Rigid denim, straight at the leg."),
        Article("Wide Leg Jeans", 62, "High-waisted denim, wide at the leg."),
        Article("Chinos", 49, "Cotton twill trousers, garment-dyed."),
        Article("Corduroy Trousers", 55, "Fine cords with a flat front."),
        Article("Linen Trousers", 52, "Drawstring trousers for summer."),
        Article("Tailored Trousers", 69, "Pressed trousers for the office, goes with the blazer."),
        Article("Joggers", 36, "Soft tracksuit bottoms with cuffs."),
        Article("Leggings", 26, "Opaque leggings with a high waist."),
        Article("Shorts", 32, "Chino shorts above the knee."),
    )),
    Category("dresses", CLOTHES, 12, (
        Article("Midi Dress", 69, "A dress to the calf with long sleeves."),
        Article("Maxi Dress", 79, "A floor-length dress with a tie waist."),
        Article("Wrap Dress", 72, "A jersey dress that ties at the side."),
        Article("Summer Dress", 55, "A cotton sundress with thin straps."),
        Article("Shirt Dress", 65, "A belted dress with a collar."),
        Article("Knitted Dress", 68, "A ribbed dress for autumn."),
        Article("Midi Skirt", 48, "A satin skirt to the calf."),
        Article("Pleated Skirt", 52, "A swinging skirt with knife pleats."),
        Article("Denim Skirt", 42, "A buttoned skirt above the knee."),
        Article("Jumpsuit", 75, "An all-in-one with a belt."),
    )),
    Category("shoes", SHOES, 12, (
        Article("Chelsea Boots", 110, "Leather ankle boots with elastic sides."),
        Article("Walking Boots", 125, "Waterproof hiking boots with a grippy sole."),
        Article("Wellington Boots", 49, "Natural-rubber wellies."),
        Article("Leather Trainers", 79, "Low white-soled sneakers."),
        Article("Running Trainers", 85, "Light sports shoes with a soft sole."),
        Article("Loafers", 89, "Slip-on shoes in polished leather."),
        Article("Brogues", 99, "Laced shoes with punched leather."),
        Article("Court Shoes", 69, "Block high heels for work and parties."),
        Article("Sandals", 55, "Leather sandals with a cork footbed; espadrilles for summer."),
        Article("Slippers", 32, "Felt slippers with a suede sole."),
    )),
    Category("bags", ONE_SIZE, 24, (
        Article("Leather Tote Bag", 119, "An open shopper with long handles."),
        Article("Crossbody Bag", 69, "A small bag with an adjustable strap."),
        Article("Shoulder Bag", 79, "A handbag with a zip and inner pockets."),
        Article("Backpack", 65, "A rucksack with a padded back."),
        Article("Laptop Bag", 75, "A slim briefcase for 15-inch computers."),
        Article("Satchel", 89, "A buckled bag in vegetable-tanned leather."),
        Article("Weekend Holdall", 99, "A duffel for two nights away."),
        Article("Cabin Suitcase", 129, "A hard-shell trolley case for hand luggage."),
        Article("Leather Wallet", 35, "A bifold wallet with six card slots."),
        Article("Coin Purse", 22, "A zipped purse for change and keys."),
    )),
    Category("accessories", ONE_SIZE, 12, (
        Article("Wool Scarf", 35, "A long woven scarf with fringes."),
        Article("Leather Gloves", 39, "Lined gloves for touch screens."),
        Article("Bobble Hat", 19, "A knitted hat with a pompom."),
        Article("Beanie", 16, "A ribbed knitted hat."),
        Article("Sun Hat", 24, "A wide-brimmed straw hat."),
        Article("Leather Belt", 29, "A full-grain belt with a brass buckle."),
        Article("Umbrella", 25, "A windproof folding brolly."),
        Article("Socks", 12, "Three pairs of cotton socks."),
        Article("Silver Earrings", 34, "Small recycled-silver hoops."),
        Article("Pendant Necklace", 42, "A fine chain with a juniper-berry pendant."),
    )),
    Category("bedding", BEDS, 24, (
        Article("Duvet Cover", 55, "A bedding set in washed cotton with pillowcases."),
        Article("Linen Duvet Cover", 95, "Stonewashed linen bed covers."),
        Article("Fitted Sheet", 28, "A deep elasticated bed sheet in percale."),
        Article("Down Duvet", 110, "A warm quilt filled with responsible down."),
        Article("Pillow Pair", 45, "Two pillows, medium firm."),
        Article("Wool Blanket", 79, "A checked blanket woven in Yorkshire."),
        Article("Sofa Throw", 42, "A soft knitted throw."),
        Article("Quilted Bedspread", 85, "A light cotton quilt for the end of the bed."),
        Article("Mattress Protector", 32, "A washable cover for the mattress."),
        Article("Bath Towels", 38, "A set of thick cotton towels with a bath mat."),
    )),
    Category("home", ONE_SIZE, 24, (
        Article("Velvet Cushion", 28, "A plump cushion with a removable cushion cover."),
        Article("Table Lamp", 59, "A ceramic desk lamp with a linen lampshade."),
        Article("Stoneware Vase", 32, "A hand-thrown vase."),
        Article("Scented Candle", 22, "A soy candle that smells of juniper and cedar."),
        Article("Stoneware Mugs", 24, "A set of four glazed mugs."),
        Article("Dinner Set", 89, "Twelve pieces: dinner plates, side plates and bowls."),
        Article("Casserole Dish", 95, "A cast-iron pot with a lid."),
        Article("Frying Pan", 49, "A non-stick pan for all hobs; saucepans to match."),
        Article("Wool Rug", 149, "A flat-woven rug, 120 by 180 cm."),
        Article("Wall Mirror", 79, "A round mirror in an oak frame."),
    )),
)  # fmt: skip
