using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Apps;

namespace Piccolo.Tests.Core.Apps;

internal sealed class AppStatusBoardTests
{
    private FakeTimeProvider _time = null!;
    private AppStatusBoard _board = null!;

    [SetUp]
    public void SetUp()
    {
        _time = new FakeTimeProvider();
        _board = new AppStatusBoard(_time);
    }

    [Test]
    public void Since_OfAService_IsWhenItsStateOrReasonBecameThat()
    {
        var began = _time.GetUtcNow();
        _board.Set("web", Db(AppState.Starting));
        _time.Advance(TimeSpan.FromSeconds(1));
        _board.Set("web", Db(AppState.Starting) with { Detail = "It waits." });
        Assert.That(Only().Since, Is.EqualTo(began), "a detail is no state");

        _board.Set("web", Db(AppState.Failed) with { Reason = AppReason.Exited });
        Assert.That(Only().Since, Is.EqualTo(began.AddSeconds(1)));
        _time.Advance(TimeSpan.FromSeconds(1));
        _board.Set("web", Db(AppState.Failed) with { Reason = AppReason.Refused });

        Assert.That(Only().Since, Is.EqualTo(began.AddSeconds(2)));
    }

    [Test]
    public void Said_TheSameAgain_WakesNobody()
    {
        _board.Begin("web", _time.GetUtcNow());
        Say();
        var seen = _board.Changed.Version;

        _time.Advance(TimeSpan.FromSeconds(30));
        Say();

        Assert.That(_board.Changed.Version, Is.EqualTo(seen));

        void Say()
        {
            _board.At("web", AppPhase.StartServices);
            _board.Set("web", Db(AppState.Running));
            _board.Set("web", AppState.Running, services: _ => [Db(AppState.Running)]);
        }
    }

    [Test]
    public void State_OfAnEarlierWord_IsNotTakenForWhatCameOfTheNext()
    {
        var first = _time.GetUtcNow();
        _board.Begin("web", first);
        _board.At("web", AppPhase.StartServices);
        _board.Set("web", AppState.Running);
        Assert.That(Moment(), Is.EqualTo((first, AppPhase.StartServices, true)));

        _board.Begin("web", first.AddSeconds(1));
        Assert.That(Moment(), Is.EqualTo((first, AppPhase.StartServices, true)), "nothing was seen of it yet");
        _board.At("web", AppPhase.FetchImages);
        Assert.That(Moment(), Is.EqualTo((first.AddSeconds(1), AppPhase.FetchImages, false)));
        _board.At("web", AppPhase.None);
        _board.Set("web", AppState.Running);

        Assert.That(Moment(), Is.EqualTo((first.AddSeconds(1), AppPhase.FetchImages, true)), "a phase does not go back");
    }

    [Test]
    public void Plan_KeepsWhatRunsAndForgetsTheOthers()
    {
        _board.Set("web", Db(AppState.Running) with { HasStarted = true });
        _board.Set("web", new ServiceStatus("old", AppState.Running, "", "id", null));
        _board.Set("web", new ServiceStatus("web", AppState.Failed, "Said.", "id", 3));

        _board.Plan("web", [("web", false), ("db", true)]);

        Assert.That(_board.Find("web")!.Services.Select(s => (s.Name, s.State, s.ExitCode, s.HasStarted)), Is.EqualTo(new[]
        {
            ("web", AppState.Installing, (int?)null, false), ("db", AppState.Running, null, false),
        }));
    }

    private ServiceStatus Only() => _board.Find("web")!.Services.Single();

    private (DateTimeOffset Revision, AppPhase Phase, bool IsSettled) Moment() =>
        _board.Find("web") is { } now ? (now.Revision, now.Phase, now.IsSettled) : default;

    private static ServiceStatus Db(AppState state) => new("db", state, "", "id", null);
}
