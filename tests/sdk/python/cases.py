"""What every SDK must be able to do through the gateway, whichever wire it speaks to its upstream. How an SDK does it
is its driver's business."""

from drivers import RESULTS
from support import CITY, TEXT

ARGUMENTS = {"city": "café", "days": 7}


class Cases:
    """One SDK against one wire; the subclasses say which."""

    make: type
    wire: str

    @classmethod
    def setUpClass(cls):
        cls.driver = cls.make()
        cls.addClassCleanup(cls.driver.close)

    def setUp(self):
        why = self.make.lacks.get(self._testMethodName.removeprefix("test_"))
        if why:
            self.skipTest(why)

    def model(self, script):
        return f"{self.wire}/{script}"

    def test_a_whole_answer_and_what_it_cost(self):
        said = self.driver.whole(self.model("text"))
        self.assertEqual(said.text, TEXT)
        self.assertEqual(said.prompt, 25)
        self.assertGreater(said.output, 0)

    def test_a_stream_adds_up_to_the_same_answer_and_cost(self):
        cost = self.driver.whole(self.model("text"))
        for script in ["text", "text+cut=1", "text+cut=utf8"]:
            with self.subTest(script):
                heard = []
                said = self.driver.stream(self.model(script), heard)
                self.assertEqual(said, cost)
                self.assertGreater(len([piece for piece in heard if piece]), 1)

    def check_round(self, done):
        self.assertEqual(done.calls, [("get_weather", ARGUMENTS), ("get_time", ARGUMENTS)])
        for result in RESULTS.values():
            self.assertIn(result, done.text)

    def test_a_tool_round_trip(self):
        self.check_round(self.driver.tools(self.model("tools-parallel")))

    def test_a_tool_round_trip_begun_by_a_stream(self):
        self.check_round(self.driver.streamed_tools(self.model("tools-parallel+cut=1")))

    def test_a_tool_round_trip_after_thoughts(self):
        self.check_round(self.driver.tools(self.model("tools-parallel+thinking")))

    def test_a_tool_round_trip_begun_by_a_stream_of_thoughts(self):
        self.check_round(self.driver.streamed_tools(self.model("tools-parallel+thinking")))

    def test_structured_output(self):
        self.assertEqual(self.driver.structured(self.model("text")), CITY)

    def test_an_image_reaches_the_model(self):
        self.assertEqual(self.driver.image(self.model("image-echo")), "1 image: image/png")

    def test_a_rate_limit_is_an_error_of_its_class(self):
        model = self.model("429-after-30s")
        self.check_error(self.driver.limited, 429, lambda: self.driver.whole(model))
        self.check_error(self.driver.limited, 429, lambda: self.driver.stream(model, []))

    def test_an_upstream_that_fails_is_an_error_of_its_class(self):
        # It refuses the gateway's key, which is no fault of the caller.
        self.check_error(self.driver.failed, 502, lambda: self.driver.whole(self.model("status-401")))

    def check_error(self, kind, status, ask):
        with self.assertRaises(kind) as caught:
            ask()
        error = caught.exception
        told = getattr(error, "status_code", None) or getattr(error, "code", None)
        if isinstance(told, int):
            self.assertEqual(told, status)

    def test_a_stream_that_breaks_is_an_error_after_what_came_before(self):
        for script in ["error-mid", "truncate", "nofinish"]:
            with self.subTest(script):
                heard = []
                with self.assertRaises(self.driver.broken):
                    self.driver.stream(self.model(script), heard)
                self.assertTrue(TEXT.startswith("".join(heard)), heard)


class AtTheDoor(Cases):
    """Before one wire only: the door is the same before all, and lets one address send few wrong keys a minute."""

    def test_a_wrong_key_is_an_error_of_its_class(self):
        stranger = self.make("wrong-key")
        self.addCleanup(stranger.close)
        self.check_error(self.driver.unauthorized, 401, lambda: stranger.whole(self.model("text")))
