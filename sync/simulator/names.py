"""Invented names in many scripts. `text/ascii` gives the spelling for an email address where they differ."""

import random
from typing import NamedTuple


class Name(NamedTuple):
    """Spelling of a name, and its spelling in an email address."""

    text: str
    ascii: str


def _pool(words: str) -> tuple[Name, ...]:
    """Return the names of a list whose entries read `text` or `text/ascii`."""
    pairs = (word.partition("/") for word in words.split())
    return tuple(Name(text, (plain or text).lower().replace("'", "")) for text, _, plain in pairs)


_LATIN = (
    _pool(
        "Adela Agnes Alma Amara Anselm Aoife Ariel Astrid Basil Beatrix Bram Brigid Caspian Cedric Celia "
        "Clemence Corin Dagny Dalia Darius Delphine Desmond Edda Elias Elowen Emeka Enid Esme Ewan Fabian "
        "Farah Felix Fern Fintan Flora Freya Gareth Gemma Gideon Greta Hadley Halima Hamish Hazel Hugo "
        "Ida Imani Imogen Ines Ingrid Ivo Jasper Jelena Jonas Joyce Juno Kamal Keiran Kirsten Lars Leila "
        "Leopold Linnea Lorna Lucian Mabel Magnus Malika Maren Marit Maya Milo Mira Nadia Nell Niamh Nils "
        "Noor Odette Olive Omar Orla Oscar Otis Paloma Perpetua Petra Piers Quentin Rafael Ramona Reuben "
        "Rhea Roland Rosalind Rowan Ruth Sabine Saffron Salma Selma Seren Sidra Silas Soren Stellan "
        "Sunniva Tamsin Tariq Thea Theo Tilda Tobias Ulla Ursula Vera Viggo Wanda Wilfred Winona Xanthe "
        "Yara Yusuf Zelda Zora"
    ),
    _pool(
        "Abara Aldana Alderton Ambrose Anker Appleby Arkwright Ashdown Aveling Barrow Beckwith "
        "Bellweather Birchall Blackwood Bramley Brennock Brightwell Calloway Carrow Chidi Coldwell "
        "Corrigan Crabtree Dalgaard Danvers Delacroix Dunmore Eastlake Eberhart Ekwueme Elmsworth "
        "Fairweather Falk Farrow Fenwick Fernsby Fjeld Garrick Gillespie Glasswell Grantham Greaves "
        "Hadfield Halvorsen Hargrove Hathersage Hawthorn Holloway Hollis Ibsen Ingleby Ironside Iyer "
        "Janssen Jarrow Jessop Kallis Kamara Keswick Kettleby Kilbride Lachlan Langdale Larkin Lindqvist "
        "Lockhart Lonsdale Maddox Marchetti Marlowe Mbeki Merriweather Millbrook Moreau Nakamura "
        "Nettleton Newbold Nightingale Northcott Oakden Okafor Okonjo Oldfield Osei Ostergaard O'Dell "
        "O'Farrell Pemberton Penhallow Pickering Pomfret Quartermain Quill Radcliffe Rainsford Ravenhill "
        "Redmayne Rookwood Sadler Sandoval Sedgwick Selwyn Silverthorne Skelton Snowden Stanhope "
        "Strickland Sundberg Tamworth Thackeray Thistlewood Thornbury Tranter Tregenza Uddin Underhill "
        "Vasquez Venn Vickery Wadsworth Wainwright Waverley Westerberg Whitlock Winterbourne Wolcott "
        "Wraxall Yardley Yates Zander"
    ),
)
_OTHERS = (
    (
        _pool(
            "Łucja/Lucja Zdzisław/Zdzislaw Małgorzata/Malgorzata Żaneta/Zaneta Bogusław/Boguslaw "
            "Świętosława/Swietoslawa"
        ),
        _pool(
            "Wróbelski/Wrobelski Żółkiewny/Zolkiewny Śliwczak/Sliwczak Gęśla/Gesla Brzęcki/Brzecki Łąkowicz/Lakowicz"
        ),
    ),
    (
        _pool(
            "Þórdís/Thordis Jökull/Jokull Ásgeir/Asgeir Sæunn/Saeunn Åse/Ase Søren/Soren Jürgen/Jurgen "
            "Zoë/Zoe Siân/Sian"
        ),
        _pool(
            "Ægisdóttir/Aegisdottir Björkvist/Bjorkvist Müllenbach/Mullenbach Sørgaard/Sorgaard Lefèbrieux/Lefebrieux"
        ),
    ),
    (
        _pool("Ελπίδα/Elpida Λεωνίδας/Leonidas Ζωή/Zoi Φοίβος/Foivos Ξένια/Xenia"),
        _pool("Καλογερινός/Kalogerinos Θαλασσίδη/Thalassidi Μυλωνέας/Myloneas Ψαραδάκη/Psaradaki"),
    ),
    (
        _pool("Злата/Zlata Ярослав/Yaroslav Любовь/Lyubov Їванна/Yivanna Љубомир/Ljubomir"),
        _pool("Вербицкая/Verbitskaya Щукарев/Shchukarev Ґалаґан/Galagan Ђурђевић/Djurdjevic"),
    ),
    (
        _pool("ليلى/Layla سليم/Salim نور/Nour ياسمين/Yasmin طارق/Tarik"),
        _pool("البستاني/AlBustani الزيتوني/AlZaytouni القمري/AlQamari الرملي/AlRamli"),
    ),
    (
        _pool("נועה/Noa אבישי/Avishai תמר/Tamar"),
        _pool("ברקאי/Barkai שקדי/Shkedi אלונים/Alonim"),
    ),
    (
        _pool("आरव/Aarav मीरा/Meera ईशान/Ishaan காவ்யா/Kavya అర్జున్/Arjun"),
        _pool("वनवासी/Vanvasi चंद्रिका/Chandrika मल्होत्री/Malhotri நிலவன்/Nilavan"),
    ),
    (
        _pool("雪梅/Xuemei 文博/Wenbo 子涵/Zihan 𠮷平/Kippei さくら/Sakura 悠人/Yuto"),
        _pool("欧阳林/Ouyanglin 青木原/Aokihara 竹之内/Takenouchi 司徒云/Situyun 髙橋田/Takahashida"),
    ),
    (
        _pool("하늘/Haneul 서준/Seojun 은별/Eunbyul"),
        _pool("남궁솔/Namgungsol 제갈빛/Jegalbit 황보람/Hwangboram"),
    ),
    (
        _pool("นภา/Napha ธันวา/Thanwa ნინო/Nino გიორგი/Giorgi Արփի/Arpi"),
        _pool("แสงทอง/Saengthong ศรีเมฆ/Srimek ბერიაშვილი/Beriashvili Լուսինյան/Lusinyan"),
    ),
    (
        _pool("Nguyệt/Nguyet Đức/Duc Thảo/Thao Ọlá/Ola Nkọ/Nko Müge/Muge Çağrı/Cagri"),
        _pool("Trầnvân/Tranvan Đặngsơn/Dangson Adébáyọ̀mí/Adebayomi Yıldızoğlu/Yildizoglu Öztürkmen/Ozturkmen"),
    ),
)


def draw_name(rng: random.Random) -> tuple[Name, Name]:
    """Return a first and a last name: nine in ten in plain Latin letters, the others in the script they come from."""
    firsts, lasts = _LATIN if rng.random() < 0.9 else rng.choice(_OTHERS)
    return rng.choice(firsts), rng.choice(lasts)


def draw_last_name(rng: random.Random) -> Name:
    """Return a new last name, for someone who marries."""
    return rng.choice(_LATIN[1])
