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
        for (var i = 0; i < AuditLog.MaxWaiting + 7; i++) log.Record(Event("app.started", ("n", $"{i}")));
        await Box.UnlockAsync();

        log.WriteWaiting();

        var entries = log.Page(AuditLog.MaxPageEntries);
        Assert.That(entries, Has.Count.EqualTo(AuditLog.MaxWaiting + 1));
        Assert.That(entries[^1].Event.Kind, Is.EqualTo(AuditKinds.Dropped));
        Assert.That(entries[^1].Event.Detail["count"], Is.EqualTo("7"));
        Assert.That(entries[0].Event.Detail["n"], Is.EqualTo($"{AuditLog.MaxWaiting + 6}"));
        Assert.That(log.Verify().Whole, Is.True);
    }

    [Test]
    public async Task Refusals_WhileLocked_KeepTheFirstOnesAndPushOutNothing()
    {
        var log = NewLog();
        await Box.LockAsync();
        log.Record(Event(AuditKinds.PasswordReset));
        log.Record(Event(AuditKinds.ResetFailed));
        for (var i = 0; i < 700; i++) log.Record(Event(AuditKinds.UnlockFailed, ("n", $"{i}")));
        await Box.UnlockAsync();

        log.WriteWaiting(withCounted: true);

        var entries = log.Page(AuditLog.MaxPageEntries).Reverse().ToList();
        Assert.That(entries.Select(e => e.Event.Kind).Take(3), Is.EqualTo(new[] { AuditKinds.PasswordReset, AuditKinds.ResetFailed, AuditKinds.UnlockFailed }));
        Assert.That(entries[2].Event.Detail["n"], Is.EqualTo("0"), "the intruder's first one");
        Assert.That(entries, Has.Count.EqualTo(2 + AuditLog.MaxWaitingRefusals + 1));
        Assert.That(entries[^1].Event.Detail["count"], Is.EqualTo($"{700 - AuditLog.MaxWaitingRefusals}"));
        Assert.That(entries[^1].Event.Address, Is.EqualTo("192.0.2.0/24"));
        Assert.That(log.Verify(), Is.EqualTo(new AuditVerification(true, entries.Count, 1, null)));
    }

    [Test]
    public async Task Count_Refused_AreOneEntryAMinuteForEachKindOriginAndNetwork()
    {
        var log = NewLog();
        using var loop = new AuditLoop(Box.Store, log, Box.Time, Box.Log.For<AuditLoop>());
        await loop.StartAsync(CancellationToken.None);
        var revision = Box.Store.Revision;
        for (var i = 0; i < 196; i++) log.Count(Event(AuditKinds.LoginFailed, ("reason", "too_many_attempts")) with { Address = $"198.51.100.{i}" });
        log.Count(Event(AuditKinds.LoginFailed) with { Address = "2001:db8:0:7:1::9" });
        log.Count(Event(AuditKinds.LoginFailed) with { Origin = "tunnel", Address = null });
        Assert.That(Box.Store.Revision, Is.EqualTo(revision), "counting writes nothing");
        var changed = log.Changed.Version;

        await Box.Time.PassAsync(AuditLog.CountingTime);
        await log.Changed.WaitAsync(changed, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10));

        Assert.That(Box.Store.Revision, Is.EqualTo(revision + 1));
        Assert.That(log.Page(10).Reverse().Select(e => (e.Event.Origin, e.Event.Address, e.Event.Detail["count"])),
            Is.EqualTo(new[] { ("lan", "198.51.100.0/24", "196"), ("lan", "2001:db8:0:7::/64", "1"), ("tunnel", null, "1") }));
        Assert.That(log.Page(10)[^1].Event.Detail["reason"], Is.EqualTo("too_many_attempts"));
        await loop.StopAsync(CancellationToken.None);
    }

    [Test]
    public void Count_FromEverywhere_IsBounded()
    {
        var log = NewLog();
        for (var i = 0; i < 10_000; i++) log.Count(Event(AuditKinds.LoginFailed) with { Address = $"10.{i / 256}.{i % 256}.1" });

        log.WriteWaiting(withCounted: true);

        var entries = log.Page(AuditLog.MaxPageEntries);
        Assert.That(entries, Has.Count.EqualTo(RefusalTally.MaxNetworks + 1));
        Assert.That(entries.Sum(e => int.Parse(e.Event.Detail["count"], System.Globalization.CultureInfo.InvariantCulture)), Is.EqualTo(10_000));
    }

    [Test]
    public void RecordFirst_ManyAlike_RecordsOneAndCountsTheOthers()
    {
        var log = NewLog();
        for (var i = 0; i < 50; i++) log.RecordFirst(Event(AuditKinds.SetUpFailed, ("n", $"{i}")));
        Assert.That(log.Page(10).Single().Event.Detail["n"], Is.EqualTo("0"));

        log.WriteWaiting(withCounted: true);

        Assert.That(log.Page(10)[0].Event.Detail["count"], Is.EqualTo("49"));
    }

    [Test]
    public void Record_Locked_WritesWhatWasCountedBeforeTheStoreCloses()
    {
        var log = NewLog();
        log.Count(Event(AuditKinds.LoginFailed));

        log.Record(Event(AuditKinds.Locked));

        Assert.That(log.Page(10).Select(e => e.Event.Kind), Is.EquivalentTo(new[] { AuditKinds.Locked, AuditKinds.LoginFailed }));
    }

    [Test]
    public void Refusals_HoweverMany_PushOutOnlyTheirOwnKind()
    {
        var log = NewLog(retention: 10);
        log.Record(Event("app.installed"));
        log.Record(Event(AuditKinds.ResetFailed));
        for (var i = 0; i < 50; i++) log.Record(Event(AuditKinds.LoginFailed));

        var entries = log.Page(AuditLog.MaxPageEntries);

        Assert.That(entries.Select(e => e.Sequence), Is.EqualTo(Enumerable.Range(43, 10).Reverse().Concat([2, 1])));
        Assert.That(log.Page(3, before: 44).Select(e => e.Sequence), Is.EqualTo(new[] { 43, 2, 1 }));
        Assert.That(log.Verify(), Is.EqualTo(new AuditVerification(true, 12, 1, null)));
    }

    [Test]
    public void Record_WakesNoLoopThatWatchesTheStore()
    {
        var seen = Box.Store.Changed.Version;

        NewLog().Record(Event("app.installed"));

        Assert.That(Box.Store.Changed.Version, Is.EqualTo(seen));
        Box.Store.Commit(t => t.Put(new Piccolo.Core.ControlStore.StoreCollection<string>("other"), "k", "v"));
        Assert.That(Box.Store.Changed.Version, Is.GreaterThan(seen));
    }

    /// <summary>As a release wrote it that had one chain for everything.</summary>
    [Test]
    public void Append_AfterALogOfOneChain_GoesOnWithItsNumbers()
    {
        var entries = new Piccolo.Core.ControlStore.StoreCollection<AuditEntry>("audit");
        var heads = new Piccolo.Core.ControlStore.StoreCollection<AuditHead>("audit-head");
        Box.Store.Commit(t =>
        {
            var one = AuditEntry.Number(1, Event("app.installed")).After(AuditEntry.Genesis);
            var two = AuditEntry.Number(2, Event(AuditKinds.LoginFailed)).After(one.Hash);
            t.Put(entries, "1", one);
            t.Put(entries, "2", two);
            t.Put(heads, "head", new AuditHead(1, 3, AuditEntry.Genesis, two.Hash));
        });
        var log = NewLog();

        log.Record(Event(AuditKinds.LoginFailed));
        log.Record(Event("app.removed"));

        Assert.That(log.Page(10).Select(e => e.Sequence), Is.EqualTo(new[] { 4, 3, 2, 1 }));
        Assert.That(log.Verify(), Is.EqualTo(new AuditVerification(true, 4, 1, null)));
    }

    [Test]
    public async Task Verify_WhileOthersRecord_FindsNothingBroken()
    {
        var log = NewLog(retention: 20);
        for (var i = 0; i < 20; i++) log.Record(Event("app.started"));
        var recording = Task.Run(() =>
        {
            for (var i = 0; i < 200; i++) log.Record(Event("app.started"));
        });

        while (!recording.IsCompleted) Assert.That(log.Verify().Whole, Is.True);

        await recording;
        Assert.That(log.Verify().Whole, Is.True);
    }

    [Test]
    public async Task Loop_WritesWhatWaited_WhenTheStoreOpens()
    {
        var log = NewLog();
        using var loop = new AuditLoop(Box.Store, log, Box.Time, Box.Log.For<AuditLoop>());
        await Box.LockAsync();
        log.Record(Event("vault.unlock_failed"));
        var seen = log.Changed.Version;
        await loop.StartAsync(CancellationToken.None);

        await Box.UnlockAsync();
        await log.Changed.WaitAsync(seen, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10));

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
        log.Record(Event("auth.login_failed",
            [("user", new string('x', 100_000) + "\u0007"), ("device_secret", "canary-1"), ("new_password", "canary-2"), ("bell", "a\u0007b\ud800c"),
            .. Enumerable.Range(0, 50).Select(i => ($"n{i}", "v"))]));

        var detail = log.Page(1)[0].Event.Detail;

        Assert.That(detail, Has.Count.EqualTo(AuditText.MaxDetails));
        Assert.That(detail["user"], Has.Length.EqualTo(AuditText.MaxChars));
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
