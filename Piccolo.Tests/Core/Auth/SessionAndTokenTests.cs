using Piccolo.Core.Auth;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Auth;

/// <summary>What the owner sees of sessions and tokens, and how they end.</summary>
internal sealed class SessionAndTokenTests
{
    private TempFolder _folder = null!;
    private TestBox _box = null!;
    private SessionTable _sessions = null!;

    [SetUp]
    public async Task SetUp()
    {
        _folder = new TempFolder();
        _box = new TestBox(_folder.Path);
        await _box.SetUpAsync();
        await _box.UnlockAsync();
        _sessions = new SessionTable(_box.Time);
    }

    [TearDown]
    public void TearDown()
    {
        _box.Dispose();
        _folder.Dispose();
    }

    [Test]
    public void List_ShowsTheOnesInForceWithoutTheirIds()
    {
        var (oldId, _) = _sessions.Begin("local");
        _box.Time.Advance(SessionTable.Sliding);
        var (id, session) = _sessions.Begin("Tunnel", new SessionClient("203.0.113.7", "Browser"), _sessions.Epoch);

        Assert.That(_sessions.List(), Is.EqualTo(new[] { session }));
        Assert.That(session.ToString(), Does.Not.Contain(id).And.Not.Contain(oldId));
        Assert.That(_sessions.Use(session.Handle, "Tunnel"), Is.Null, "the handle is no cookie");
    }

    [Test]
    public void EndByHandle_EndsThatOneOnly()
    {
        var (first, session) = _sessions.Begin("local");
        var (second, _) = _sessions.Begin("local");

        Assert.That(_sessions.EndByHandle(session.Handle), Is.True);
        Assert.That(_sessions.EndByHandle(session.Handle), Is.False);
        Assert.That(_sessions.Use(first, "local"), Is.Null);
        Assert.That(_sessions.Use(second, "local"), Is.Not.Null);
    }

    [Test]
    public void EndOthers_KeepsTheOneThatAsks()
    {
        var (first, _) = _sessions.Begin("local");
        var (second, session) = _sessions.Begin("local");

        _sessions.EndOthers(session.Handle);

        Assert.That(_sessions.Use(first, "local"), Is.Null);
        Assert.That(_sessions.Use(second, "local"), Is.Not.Null);
    }

    [Test]
    public void Begin_OvertakenByALock_IsDeadFromTheStart()
    {
        var epoch = _sessions.Epoch;
        _sessions.EndAll();

        var (id, _) = _sessions.Begin("local", SessionClient.Unknown, epoch);

        Assert.That(_sessions.Use(id, "local"), Is.Null);
        Assert.That(_sessions.List(), Is.Empty);
    }

    [Test]
    public void Begin_Endlessly_KeepsABoundedNumber()
    {
        for (var i = 0; i < 2 * SessionTable.MaxSessions; i++) _sessions.Begin("local");

        Assert.That(_sessions.List(), Has.Count.EqualTo(SessionTable.MaxSessions));
    }

    [Test]
    public void Find_UsedOften_WritesOnceAnHour()
    {
        var tokens = new ApiTokenStore(_box.Store, _box.Vault, _sessions, _box.Time);
        var (token, record) = tokens.Create("script", TokenScope.Write, null)!.Value;
        Assert.That(record.LastUsedAt, Is.Null);
        var before = _box.Store.Revision;

        for (var i = 0; i < 100; i++) tokens.Find(token);
        Assert.That(_box.Store.Revision, Is.EqualTo(before + 1));
        Assert.That(tokens.List().Single().LastUsedAt, Is.EqualTo(_box.Time.GetUtcNow()));

        _box.Time.Advance(ApiTokenStore.UseResolution);
        tokens.Find(token);
        tokens.Find(token);

        Assert.That(_box.Store.Revision, Is.EqualTo(before + 2));
        Assert.That(tokens.List().Single().LastUsedAt, Is.EqualTo(_box.Time.GetUtcNow()));
    }

    [Test]
    public void Find_AfterARestart_StillKnowsTheLastUse()
    {
        var tokens = new ApiTokenStore(_box.Store, _box.Vault, _sessions, _box.Time);
        var (token, _) = tokens.Create("script", TokenScope.Write, null)!.Value;
        tokens.Find(token);
        var before = _box.Store.Revision;

        new ApiTokenStore(_box.Store, _box.Vault, _sessions, _box.Time).Find(token);

        Assert.That(_box.Store.Revision, Is.EqualTo(before));
    }
}
