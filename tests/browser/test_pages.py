"""Every page, in both languages, on a phone, a tablet and a laptop."""

from urllib.parse import quote

import pytest

SQL = quote("SELECT service, period, net_sentiment, mentions FROM service_scorecard")
PAGES = {
    "overview": "/",
    "overview-month": "/?period=90d&source=Forum+%28Beispiel%29",
    "service": "/service?name=Arbeitsrecht&period=90d",
    "service-telling": "/service?name=Steuerberatung&order=telling",
    "posts": "/posts",
    "posts-words": "/posts?words=Frist*&polarity=negative&period=90d&order=telling",
    "post": "/post?id=1",
    "alerts": "/alerts",
    "sources": "/sources",
    "portfolio": "/portfolio",
    "login": "/login",
    "queries": "/sentiment",
    "query": f"/sentiment?sql={SQL}",
    "question": "/sentiment/mood",
    "table": "/sentiment/scored_mentions?_facet=service",
    "row": "/sentiment/posts/1",
    "nowhere": "/nowhere",
}
WITH_LOGIN = {"alerts-acting": "/alerts", "label": "/label?mention=1&next=/posts"}
IMAGES = """Promise.all([...document.images].map(image => {
    image.loading = "eager"; return image.decode() }))"""  # fails when one cannot be shown
WIDTHS = (360, 768, 1440)


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("name", [*PAGES, *WITH_LOGIN])
def test_everybody_can_use_every_page(sample, window, name, language):
    """At every width: axe finds nothing, nothing sticks out, nothing fails, nobody else is asked."""
    visit = window(sample)
    if name in WITH_LOGIN:
        visit.log_in()
    path = (PAGES | WITH_LOGIN)[name]
    path += ("&" if "?" in path else "?") + f"_lang={language}"
    for width in WIDTHS:
        visit.page.set_viewport_size({"width": width, "height": 900})
        page = visit.open(path, 404 if name == "nowhere" else 200)
        assert page.get_attribute("html", "lang") == language
        page.evaluate(IMAGES)
        visit.shot(f"{name}-{language}-{width}")
        assert visit.overflow() <= 0, f"{width} px: {visit.overflow()} px too wide"
        assert visit.axe() == [], f"at {width} px"
    if name == "nowhere":
        visit.strange = [one for one in visit.strange if "404" not in one]
    assert visit.strange == []


@pytest.mark.parametrize("name", ["overview", "service", "table", "query"])
def test_dark_screens_have_contrast_too(sample, window, name):
    """With a dark colour scheme axe finds nothing either."""
    visit = window(sample, color_scheme="dark")
    visit.open(PAGES[name])
    visit.shot(f"{name}-dark")
    assert visit.axe() == []


def test_the_overview_prints(sample, window):
    """Printed, the overview keeps its figures and loses what one can only click."""
    visit = window(sample)
    page = visit.open("/?_lang=de")
    page.emulate_media(media="print")
    assert not page.is_visible("nav.main")
    assert page.is_visible("text=Arbeitsrecht")
    assert len(page.pdf(format="A4", landscape=True)) > 10_000


def test_a_keyboard_is_enough(sample, window):
    """The first key leads past the navigation; a filter can be set without a mouse."""
    visit = window(sample)
    page = visit.open("/?_lang=en")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.name") != "period":
        page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.type("last 90")
    assert "period=90d" in page.url


def test_everything_works_without_scripts(sample, window):
    """Filters have a button then; logging in and out are plain forms."""
    visit = window(sample, java_script_enabled=False)
    page = visit.open("/?_lang=en")
    page.select_option("select[name=period]", "90d")
    page.click("form.filters button")
    assert "period=90d" in page.url
    page.click("text=Arbeitsrecht >> nth=0")
    visit.log_in()
    assert page.inner_text(".who .name") == "Marketing"
    page.click(".who button")
    assert page.query_selector(".who .name") is None


def test_the_overview_is_light(sample, window):
    """All it takes, styles and pictures included, is less than 300 kB."""
    visit = window(sample)
    answers = []
    visit.page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - Playwright asks
    visit.open("/")
    assert len(answers) >= 3
    assert 0 < sum(len(answer.body()) for answer in answers) < 300_000
