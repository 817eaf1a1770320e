"""Small word lists to read noun phrases with: titles, roles, organisations, function words.

Lists of our own, all lower case. They hold what news prints often; a word missing here costs a
speaker, never an error.
"""


def words_of_list(listed: str) -> frozenset[str]:
    """Return the words of a list written as text, one space or line break between them."""
    return frozenset(listed.split())


HONORIFICS = words_of_list(
    """
    mr mrs ms miss mx sir dame lord lady dr prof rev hon st fr msgr
    """
)
FEMALE_HONORIFICS = words_of_list(
    """
    mrs ms miss dame lady
    """
)
MALE_HONORIFICS = frozenset(["mr", "sir", "lord"])

ROLES = words_of_list(
    """
    president minister secretary sens reps chancellor premier chief chairman chairwoman chair
    chairperson senator sen rep representative congressman congresswoman governor gov mayor general
    gen colonel col lieutenant lt major captain capt sergeant sgt admiral adm commander ambassador
    judge justice attorney prosecutor lawyer spokesman spokeswoman spokesperson director manager
    editor reporter correspondent journalist columnist author writer professor scholar analyst
    economist expert researcher scientist historian doctor nurse teacher student coach player actor
    actress singer comedian producer filmmaker artist musician leader speaker whip nominee candidate
    rival opponent lawmaker politician commissioner inspector detective constable superintendent
    officer sheriff deputy agent soldier veteran narrator announcer king queen prince princess pope
    bishop archbishop cardinal reverend rabbi imam pastor founder co-founder owner ceo executive
    entrepreneur billionaire businessman businesswoman investor banker resident villager farmer
    worker reader listener viewer customer passenger shopper voter supporter activist campaigner
    protester organizer organiser strategist pollster adviser advisor aide counsel envoy diplomat
    negotiator host anchor moderator republican democrat councillor councilman councilwoman mother
    father wife husband son daughter brother sister widow friend neighbour neighbor
    secretary-general boss head mp vice-president contributor commentator critic blogger star
    lobbyist plaintiff defendant witness survivor mogul tycoon del delegate supt cpl corporal pvt
    private cmdr brig brigadier cllr pres congressperson spokesmen magistrate trustee alderman
    alderwoman chaplain priest vicar sultan emir sheikh emperor duke duchess baroness baron striker
    goalkeeper midfielder winger skipper chef curator conductor surgeon paramedic firefighter pilot
    landlord tenant shopkeeper butcher baker trader broker
    """
)

# Titles that are family names too: "Mr. King", "Stephen King".
ROLES_AND_NAMES = words_of_list(
    """
    king prince pope bishop judge cardinal major justice star
    """
)

# Plural or nameless sources, good without an article: "officials said".
SOURCES = ROLES | words_of_list(
    """
    officials sources critics experts analysts police aides authorities prosecutors lawmakers
    leaders supporters opponents residents witnesses reporters investigators scientists researchers
    economists republicans democrats people men women students teachers voters activists protesters
    lawyers doctors advisers advisors diplomats troops commanders soldiers ministers senators
    members spokespeople allies rivals observers commentators historians campaigners others some
    many several one another both none group ministry government military army department
    administration campaign committee party company report statement letter study newspaper article
    agency office court council commission embassy intelligence source official man woman team union
    kremlin website paper magazine station channel organization organisation association foundation
    network firm bank parliament cabinet alliance mod coalition family hospital university school
    church board panel poll survey document memo email piece essay op-ed column editorial post tweet
    ad advert video lawsuit complaint indictment transcript ruling order filing affidavit headline
    caption book groups unions companies firms nurses parents families neighbours neighbors
    passengers fans players farmers workers staff drivers relatives commuters patients tenants
    owners customers shareholders investors countries nations governments states officers detectives
    mayors scholars judges jurors
    """
)

ORGANISATION_WORDS = words_of_list(
    """
    ministry department party university college school times post news press journal house council
    committee commission congress senate parliament court agency bureau business office institute
    association foundation center centre group company corporation corp inc ltd bank union league
    federation army forces navy police intelligence force street tower club network television tv
    radio magazine hill text reuters cnn bbc afp ap nbc abc cbs fox nato eu un us u.s. uk kremlin
    pentagon government administration campaign america states kingdom republic nations korea africa
    europe asia security defence defense north south east west northern southern eastern western new
    city county state island river lake airport hotel stadium museum act law bill treaty deal
    amendment day week night war world cup prize award series championship supreme national
    international federal global united white black republicans democrats americans alliance guild
    trust society fund authority board service services cooperative coalition conference
    organisation organization library theatre theater gallery clinic cathedral brewery railway
    railways airline airlines airways motors industries holdings partners energy systems
    technologies pharmaceuticals foods stores records studios pictures entertainment watchdog
    assembly chamber commons lords regulator exchange archive archives twitter facebook instagram
    youtube google live red
    """
)

# Capitalised without being anybody's name.
NOT_NAMES = words_of_list(
    """
    i a an the this that these those he she they it we you who which what when where why how if as
    at by for from in into of on onto to with without within over under after before since until
    till during while because although though but and or nor so yet then there here not no yes all
    any each every both few many most more much some such other another one two three four five six
    seven eight nine ten twenty thirty forty fifty sixty seventy eighty ninety hundreds thousands
    first his her its their our my your is are was were be been being am do does did has have had
    will would can could may might must shall should also meanwhile however instead later earlier
    now today yesterday tomorrow tonight monday tuesday wednesday thursday friday saturday sunday
    january february march april june july august september october november december jan feb aug
    sept oct nov dec mar apr mon tue wed thu fri sat sun about according once even still just only
    again perhaps maybe despite unlike like elsewhere indeed asked speaking nearly almost between
    among against through than too very well whether a.m p.m everyone whoever whatever nobody
    somebody anyone let don't it's that's there's he's she's they're we're i'm
    """
)

PARTICLES = words_of_list(
    """
    de da di del della van von der den bin ibn al el la le du dos ap o
    """
)

# Stand between a subject and its verb and say nothing about either.
BETWEEN = words_of_list(
    """
    has had have is was are were be been also then later again repeatedly often never always even
    still would will could might did does do not earlier today yesterday recently once just now
    simply soon further famously monday tuesday wednesday thursday friday saturday sunday both all
    himself herself themselves reportedly
    """
)
AUXILIARIES = words_of_list(
    """
    has have had is are was were be been being keeps kept began starts started stopped
    """
)
# A verb after one of these is an infinitive: its speaker is an earlier verb's subject.
INFINITIVE_MARKERS = words_of_list(
    """
    to would will could can may might should must
    """
)
WEEKDAYS = words_of_list(
    """
    monday tuesday wednesday thursday friday saturday sunday
    """
)

# Count or point at a source and are none: "several groups".
QUANTIFIERS = words_of_list(
    """
    some many several one another both none others two three four five six seven eight nine ten
    """
)

DETERMINERS = words_of_list(
    """
    the a an his her their its our my your this that these those one some many
    """
)

GENDERED_NOUNS = dict.fromkeys(
    words_of_list(
        """
        father brother son husband uncle grandfather nephew man boy spokesman businessman widower
        policeman fisherman salesman grandson stepfather
        """
    ),
    "he",
) | dict.fromkeys(
    words_of_list(
        """
        mother sister daughter wife aunt grandmother niece woman girl spokeswoman businesswoman
        widow policewoman actress granddaughter stepmother
        """
    ),
    "she",
)

# Say what somebody is, not which office he holds: "the singer" is who stands out in the article.
DESCRIPTIONS = words_of_list(
    """
    star singer actor actress striker player author writer artist comedian musician rapper novelist
    winger goalkeeper forward footballer athlete runner swimmer boxer cyclist champion presenter
    filmmaker father-of-two father-of-three mother-of-two mother-of-three mum-of-two mum-of-three
    dad-of-two dad-of-three hitmaker chart-topper veteran billionaire entrepreneur pensioner
    defendant witness victim suspect teenager winner republican democrat nominee candidate hopeful
    quarterback receiver pitcher catcher linebacker batsman bowler wicketkeeper defender midfielder
    jockey sprinter rider golfer lawmaker politician challenger incumbent rival businessman
    businesswoman frontrunner
    """
)

# Words left of a role that belong to it: "former deputy campaign manager".
ROLE_MODIFIERS = words_of_list(
    """
    former ex then deputy vice senior prime foreign defence defense finance interior press campaign
    chief national security state acting retired longtime veteran assistant associate executive
    general managing new military political opposition democratic republican presidential
    vice-presidential fellow party communications policy economic legal top white conservative
    liberal independent attorney trade health home running mate newspaper police army navy news tv
    radio film movie pop rock local private
    """
)

FUNCTION_WORDS = NOT_NAMES - words_of_list(
    """
    one two three four five six seven eight nine ten first
    """
)
