using Microsoft.Extensions.Options;
using Piccolo.Core.Remote;
using Piccolo.Core.Remote.Events;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Remote;

internal sealed class RemoteEventLogTests
{
    private TempFolder _folder = null!;
    private TestBox _box = null!;
    private RemoteEventLog _events = null!;

    [SetUp]
    public async Task SetUp()
    {
        _folder = new TempFolder();
        _box = new TestBox(_folder.Path);
        await _box.SetUpAsync();
        await _box.UnlockAsync();
        _events = NewLog(_box);
    }

    [TearDown]
    public void TearDown()
    {
        _box.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void Note_SameStateAgain_IsNoEvent()
    {
        Note("web", "dead");
        Note("raw", "dead");
        Note("web", "dead");
        Note("web", "reachable");
        Note("web", "dead");

        Assert.That(_events.Page(10).Select(e => $"{e.Subject} {e.State}"), Is.EqualTo(new[] { "web dead", "web reachable", "raw dead", "web dead" }));
    }

    [Test]
    public void Add_MoreThanAreKept_DropsTheOldest()
    {
        for (var i = 0; i < 25; i++) _events.Add(RemoteEventSources.Settings, "", $"event {i}");

        Assert.That(_events.Page(100).Select(e => e.Message), Is.EqualTo(Enumerable.Range(0, 25).Reverse().Take(10).Select(i => $"event {i}")));
    }

    [Test]
    public async Task Restart_KeepsTheEventsAndRepeatsNoState()
    {
        Note("web", "dead");
        await _box.LockAsync();
        Note("web", "reachable");
        _box.Dispose();

        using var next = new TestBox(_folder.Path);
        await next.UnlockAsync();
        var events = NewLog(next);
        events.Note(RemoteEventLevel.Error, RemoteEventSources.Probe, "web", "dead", "again");

        Assert.That(events.Page(10).Select(e => e.State), Is.EqualTo(new[] { "dead" }),
            "while locked nothing is recorded, and after a restart nothing is repeated");
    }

    [Test]
    public void Add_HostileText_IsBoundedAndPrintable()
    {
        _events.Add(RemoteEventSources.Tunnel, "", "a\u001b[31m\r\n" + new string('x', 10_000));

        Assert.That(_events.Page(1)[0].Message, Has.Length.EqualTo(512).And.Not.Contains("\u001b").And.Not.Contains("\n"));
    }

    private void Note(string subject, string state) => _events.Note(RemoteEventLevel.Info, RemoteEventSources.Probe, subject, state, $"{subject} is {state}");

    private static RemoteEventLog NewLog(TestBox box) =>
        new(box.Store, Options.Create(new RemoteOptions { EventsKept = 10 }), box.Time, box.Log.For<RemoteEventLog>());
}
