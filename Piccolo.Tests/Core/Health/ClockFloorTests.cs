using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Health;

[Category("Sealed")]
internal sealed class ClockFloorTests
{
    private static readonly DateTimeOffset Built = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Today = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Reset = new(1970, 1, 1, 0, 3, 0, TimeSpan.Zero);

    private CapturedLog _log = null!;
    private TempFolder _folder = null!;

    [SetUp]
    public void SetUp() => (_folder, _log) = (new TempFolder(), new CapturedLog());

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void Check_ClockAfterBuild_IsOk() => Assert.That(Look(Today).Level, Is.EqualTo(HealthLevel.Ok));

    [Test]
    public void Check_ClockBeforeBuild_IsWrongAndSaysWhy()
    {
        var seen = Look(Reset);

        Assert.That(seen.Level, Is.EqualTo(HealthLevel.Degraded));
        Assert.That(seen.Message,
            Does.StartWith("the clock is behind").And.Contain("1970-01-01").And.Contain("2026-11-01").And.Contain("date of this version"));
    }

    [Test]
    public void Check_ClockBeforeLastSavedTime_IsWrong()
    {
        Floor(At(Today)).Save();

        Assert.That(Look(Today.AddDays(-2)).Message, Does.Contain("the last saved time"));
        Assert.That(Look(Today - ClockFloor.Tolerance).Level, Is.EqualTo(HealthLevel.Ok), "a small correction is no fault");
    }

    [Test]
    public void Check_ClockBeforeACertificatesStart_IsWrong()
    {
        var clock = Floor(At(Today.AddDays(-2)));
        Assert.That(clock.IsWrong, Is.False);

        clock.Observe(Today);

        Assert.That(clock.IsWrong, Is.True);
    }

    [Test]
    public void Check_ClockSetRight_IsOkAgainWithANewSince()
    {
        var time = At(Reset);
        var health = new HealthTracker(time, _log.For<HealthTracker>());
        var clock = Floor(time);
        clock.Check(health);

        time.SetUtcNow(Today);
        clock.Check(health);

        Assert.That(health.Snapshot.Reported[HealthComponents.Clock],
            Is.EqualTo(new ComponentHealth(HealthComponents.Clock, HealthLevel.Ok, "the clock is plausible", Today)));
        Assert.That((_log.Count(6110), _log.Count(6111)), Is.EqualTo((1, 1)), "one line per change");
    }

    [Test]
    public void Check_EveryMinuteForADay_SavesHourlyAndNeverGoesBack()
    {
        var time = At(Today);
        var health = new HealthTracker(time, _log.For<HealthTracker>());
        var clock = Floor(time);
        var written = new HashSet<string>();
        for (var minute = 0; minute < 24 * 60; minute++)
        {
            clock.Check(health);
            written.Add(File.ReadAllText(_folder.File("clock")));
            time.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.That(written, Has.Count.EqualTo(24));

        var last = File.ReadAllText(_folder.File("clock"));
        Floor(At(Reset)).Save();

        Assert.That(File.ReadAllText(_folder.File("clock")), Is.EqualTo(last));
        Assert.That(File.GetUnixFileMode(_folder.File("clock")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [TestCase("")]
    [TestCase("yesterday")]
    [TestCase("9999-99-99T00:00:00.0000000+00:00")]
    [TestCase("2026-11-24T12:00:00.0000000+00:00 and more and more and more and more and more")]
    public void Read_FileThatIsNotOurs_LeavesTheOtherWitnesses(string content)
    {
        File.WriteAllText(_folder.File("clock"), content);

        Assert.That(Floor(At(Today)).Floor, Is.EqualTo(Built));
    }

    [Test]
    public void Save_FolderCannotBeWritten_IsLoggedAndNothingElseHappens()
    {
        var clock = Floor(At(Today));
        Directory.CreateDirectory(_folder.File("clock"));

        clock.Save();

        Assert.That(_log.Count(6112), Is.EqualTo(1));
    }

    private ComponentHealth Look(DateTimeOffset now)
    {
        var time = At(now);
        var health = new HealthTracker(time, _log.For<HealthTracker>());
        Floor(time).Check(health);
        return health.Snapshot.Reported[HealthComponents.Clock];
    }

    private ClockFloor Floor(FakeTimeProvider time) => new(new StatePaths(_folder.Path), Built, time, _log.For<ClockFloor>());

    // Also back to before this library's own beginning of time.
    private static FakeTimeProvider At(DateTimeOffset now) => new(now);
}
