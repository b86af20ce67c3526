using Piccolo.Core.Audit;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Audit;

[Category("Sealed")]
internal sealed class AuditLogTests : OwnedBoxFixture
{
    [Test]
    public async Task Record_WhileUnlocked_IsDurableAtOnceAndPagesNewestFirst()
    {
        var log = NewLog();
        for (var i = 1; i <= 5; i++) log.Record(Event($"app.installed", ("app", $"a{i}")));
        await Box.LockAsync();
        await Box.UnlockAsync();
        var reopened = NewLog();

        var first = reopened.Page(2);
        var second = reopened.Page(10, first[^1].Sequence);

        Assert.That(first.Concat(second).Select(e => e.Event.Detail["app"]), Is.EqualTo(new[] { "a5", "a4", "a3", "a2", "a1" }));
        Assert.That(second[^1].Sequence, Is.EqualTo(1));
        Assert.That(reopened.Page(10, 1), Is.Empty);
        Assert.That(reopened.Verify(), Is.EqualTo(new AuditVerification(true, 5, 1, null)));
    }

    [Test]
    public async Task Record_WhileLocked_WaitsBoundedAndIsWrittenAtUnlock()
    {
        var log = NewLog();
        await Box.LockAsync();
        for (var i = 0; i < AuditLog.MaxWaiting + 7; i++) log.Record(Event("vault.unlock_failed", ("n", $"{i}")));
        await Box.UnlockAsync();

        log.WriteWaiting();

        var entries = log.Page(AuditLog.MaxPage);
        Assert.That(entries, Has.Count.EqualTo(AuditLog.MaxWaiting + 1));
        Assert.That(entries[^1].Event.Kind, Is.EqualTo(AuditKinds.Dropped));
        Assert.That(entries[^1].Event.Detail["count"], Is.EqualTo("7"));
        Assert.That(entries[0].Event.Detail["n"], Is.EqualTo($"{AuditLog.MaxWaiting + 6}"));
        Assert.That(log.Verify().Whole, Is.True);
    }

    [Test]
    public async Task Loop_WritesWhatWaited_WhenTheStoreOpens()
    {
        var log = NewLog();
        using var loop = new AuditLoop(Box.Store, log, Box.Log.For<AuditLoop>());
        await Box.LockAsync();
        log.Record(Event("vault.unlock_failed"));
        await loop.StartAsync(CancellationToken.None);
        await Box.UnlockAsync();
        while (log.Page(1).Count == 0)
        {
            var seen = Box.Store.Changed.Version;
            if (log.Page(1).Count == 0) await Box.Store.Changed.WaitAsync(seen, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10));
        }

        Assert.That(log.Page(5).Single().Event.Kind, Is.EqualTo("vault.unlock_failed"));
        await loop.StopAsync(CancellationToken.None);
    }

    [Test]
    public void Retention_DropsTheOldestAndAnchorsTheChain()
    {
        var log = NewLog(retention: 10);
        for (var i = 0; i < 25; i++) log.Record(Event("app.started"));

        Assert.That(log.Page(100).Select(e => e.Sequence), Is.EqualTo(Enumerable.Range(16, 10).Reverse()));
        Assert.That(log.Verify(), Is.EqualTo(new AuditVerification(true, 10, 16, null)));
    }

    [Test]
    public void Verify_EntryChangedInsideTheStore_NamesIt()
    {
        var log = NewLog();
        for (var i = 0; i < 6; i++) log.Record(Event("app.started"));
        // As a bug or a stolen key could: a row that is sealed well but is not what was recorded.
        var entries = new Piccolo.Core.ControlStore.StoreCollection<AuditEntry>("audit");
        Box.Store.Commit(t =>
        {
            var entry = t.Get(entries, "4")!;
            t.Put(entries, "4", entry with { Event = entry.Event with { Actor = "nobody" } });
        });

        Assert.That(log.Verify(), Is.EqualTo(new AuditVerification(false, 6, 1, 4)));
        Box.Store.Commit(t => t.Delete(entries, "2"));
        Assert.That(log.Verify().Broken, Is.EqualTo(2));
    }

    [Test]
    public void Record_HostileText_IsBoundedAndSecretsAreWithheld()
    {
        var log = NewLog();
        log.Record(Event("auth.login_failed", [("user", new string('x', 100_000) + "\u0007"), ("device_secret", "canary-1"), ("new_password", "canary-2"), ("bell", "a\u0007b\ud800c"),
            .. Enumerable.Range(0, 50).Select(i => ($"n{i}", "v"))]));

        var detail = log.Page(1)[0].Event.Detail;

        Assert.That(detail, Has.Count.EqualTo(AuditText.MaxDetails));
        Assert.That(detail["user"], Has.Length.EqualTo(AuditText.MaxLength));
        Assert.That(detail["bell"], Is.EqualTo("a\uFFFDb\uFFFDc"));
        Assert.That(detail.Values, Has.None.Contains("canary"));
        Assert.That(log.Verify().Whole, Is.True);
    }

    [Test]
    public void Record_WhileTheStoreTakesNoWrites_WaitsWithoutFailing()
    {
        var log = NewLog();
        Box.Health.Latch(Piccolo.Core.Health.FaultCode.DiskFull, Piccolo.Core.Health.HealthComponents.Store, "full");
        log.Record(Event("app.started"));
        Assert.That(log.Page(5), Is.Empty);

        Assert.That(Box.Store.TryRecover(), Is.True);
        log.WriteWaiting();

        Assert.That(log.Page(5), Has.Count.EqualTo(1));
    }

    private AuditLog NewLog(int retention = AuditLog.Kept) => new(Box.Store, Box.Time, Box.Log.For<AuditLog>()) { Retention = retention };

    private AuditEvent Event(string kind, params (string, string)[] detail) =>
        new(Box.Time.GetUtcNow(), kind, "owner", "lan", "192.0.2.7", detail.ToDictionary(d => d.Item1, d => d.Item2));
}
