"""The ten exhibits: what each is, in plain words, and how its app and its API are set up."""

from dataclasses import dataclass

from client_demo.language import N_

SCOPE = "lab:call"
EDITOR, READER = "editor", "reader"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One policy, shown."""

    name: str
    title: str
    line: str
    what: str
    asked: str
    after: str
    choose: str
    access: tuple[str, ...]
    refresh: tuple[str, ...] = ("rotation",)
    lifetime: int = 300
    freshness: str = "feed"
    doors: tuple[str, ...] = ("",)
    """The APIs of the exhibit, as the ends of their addresses."""

    @property
    def bound(self) -> bool:
        return "device_bound" in self.access

    @property
    def roles(self) -> bool:
        return "session_state" in self.access

    def addresses(self, api: str) -> tuple[str, ...]:
        """Its APIs, which are its RFC 8707 resources."""
        return tuple(f"{api}/lab/{self.name}{door}" for door in self.doors)


EXHIBITS = (
    Exhibit(
        name="short_jwt",
        title=N_("Let it run out"),
        line=N_("A signed pass that nobody can take back, so it is made to expire soon."),
        what=N_("A paper ticket with a time on it. Anybody can check the signature and the time."),
        asked=N_("Nobody. The API looks at the ticket and at its own clock."),
        after=N_("As long as the time on it allows: here at most 30 seconds."),
        choose=N_(
            "When calls must be as cheap as possible, and a few minutes of delay do no harm."
        ),
        access=("short_jwt",),
        lifetime=30,
        freshness="offline",
    ),
    Exhibit(
        name="allow_list",
        title=N_("The guest list"),
        line=N_("A pass is good only while its number stands on the list."),
        what=N_("A signed ticket with a number. The number is on a list of all good tickets."),
        asked=N_("The list, at each call. The list is the provider’s, here it is asked itself."),
        after=N_("Not at all: the number is struck out in the same moment."),
        choose=N_("When every access must be known, and one look-up for each call is affordable."),
        access=("allow_list",),
    ),
    Exhibit(
        name="rotation",
        title=N_("A key for one use"),
        line=N_("Each renewal hands out a new key. A copy of an old one gives the thief away."),
        what=N_(
            "Two of them: a short pass for the API, and a renewal key that works exactly once."
        ),
        asked=N_("The provider, at each renewal. Calls are judged by the list of ended passes."),
        after=N_("The renewal key: not at all. The pass: until the API hears of it."),
        choose=N_(
            "Always, for apps that run where people can look into them: browsers and phones."
        ),
        access=("jti_denylist",),
    ),
    Exhibit(
        name="opaque",
        title=N_("The cloakroom ticket"),
        line=N_("The pass says nothing. Only the provider knows what it stands for."),
        what=N_("A random number. Whoever finds it learns nothing from it, not even whose it is."),
        asked=N_("The provider, at each call."),
        after=N_("Not at all: the next question is answered with “no”."),
        choose=N_("When sign-out must be immediate and a question per call is no problem."),
        access=("opaque",),
    ),
    Exhibit(
        name="sliding",
        title=N_("Alive while in use"),
        line=N_("Use keeps you signed in. Silence signs you out, and so does a hard end."),
        what=N_("A pass of one minute. The app renews it shortly before it runs out: watch it."),
        asked=N_("The provider, at each call. It notes that you are still there."),
        after=N_("Not at all: the session is over, and so is everything that hangs on it."),
        choose=N_(
            "For banks and back offices: no sudden sign-out while working, none forgotten open."
        ),
        access=("sliding",),
        refresh=("sliding", "rotation"),
        lifetime=60,
    ),
    Exhibit(
        name="jti_denylist",
        title=N_("The list of lost cards"),
        line=N_("Every pass is good, unless its number was reported."),
        what=N_("A signed ticket with a number."),
        asked=N_("A short list of reported numbers, which the API holds in its own memory."),
        after=N_("Milliseconds: the report reaches every API at once."),
        choose=N_("When calls must be cheap and a sign-out must still count. A good default."),
        access=("jti_denylist",),
    ),
    Exhibit(
        name="session_state",
        title=N_("Ask at the desk"),
        line=N_("What you may do is looked up, not carried. It can change while you work."),
        what=N_("A signed pass that says hardly more than whose it is."),
        asked=N_("The API’s own memory; the provider only when something about you has changed."),
        after=N_("Milliseconds. And a changed role counts from the very next call."),
        choose=N_("When rights change often, or must be taken away in the middle of the day."),
        access=("session_state",),
    ),
    Exhibit(
        name="per_audience",
        title=N_("One key for each door"),
        line=N_("Each API gets a pass of its own, which no other API accepts."),
        what=N_("Two passes: one for the notes, one for the photos. Neither opens the other door."),
        asked=N_("A list in the API’s own memory, and the name of the door on the pass."),
        after=N_("Milliseconds. Each pass can also be taken back alone."),
        choose=N_("When an app talks to several services and one of them may be broken into."),
        access=("per_audience", "jti_denylist"),
        refresh=("per_audience", "rotation"),
        doors=("/notes", "/photos"),
    ),
    Exhibit(
        name="device_bound",
        title=N_("Bound to your device"),
        line=N_("The pass works only together with a secret that never leaves the device."),
        what=N_("A signed ticket that names a key. Each call proves anew that the key is at hand."),
        asked=N_("Nobody about the proof: the API checks it itself. For the end, its own memory."),
        after=N_("Milliseconds, and in the thief’s hands it never worked."),
        choose=N_("When a copied token would be a disaster: payments, health, administration."),
        access=("device_bound", "jti_denylist"),
        refresh=("device_bound", "rotation"),
    ),
    Exhibit(
        name="sso",
        title=N_("One sign-out for everything"),
        line=N_("All apps hang on one sign-in. When it ends, all of them hear of it."),
        what=N_("A signed pass that belongs to the one session at the provider."),
        asked=N_("The API’s own memory: is that session still open?"),
        after=N_("Milliseconds at the API; the other apps are called up one by one."),
        choose=N_("When people use several of your apps and expect “sign out” to mean it."),
        access=("sso",),
        refresh=("sso", "rotation"),
    ),
)
BY_NAME = {exhibit.name: exhibit for exhibit in EXHIBITS}
