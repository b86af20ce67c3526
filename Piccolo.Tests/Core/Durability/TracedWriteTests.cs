using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Durability;

/// <summary>
/// What a power cut leaves cannot be shown by killing a process, because the kernel still has what was written. So the calls to the kernel are looked at: what
/// is acknowledged was flushed before, and nothing takes a name before its content is on the disk.
/// </summary>
[Category("Kill"), Category("Sealed"), Category("NeedsProcess")]
internal sealed class TracedWriteTests
{
    private WriteRig _rig = null!;

    [SetUp]
    public void SetUp() => _rig = new WriteRig();

    [TearDown]
    public void TearDown() => _rig.Dispose();

    [Test]
    public async Task AtomicFile_IsFlushedRenamedAndItsFolderFlushedBeforeItReturns()
    {
        var trace = await _rig.TraceAsync("file");

        Assert.That(WriteOrder.OfReplacement(trace, Path.Combine(_rig.State, "some.pem"), _rig.Mark("ACK")), Is.Null);
    }

    [TestCase("set-up")]
    [TestCase("change")]
    public async Task KeySet_IsDurableBeforeItIsAcknowledged(string operation)
    {
        if (operation != "set-up") await _rig.OwnAsync();

        var trace = await _rig.TraceAsync(operation);

        Assert.That(WriteOrder.OfReplacement(trace, Path.Combine(_rig.State, "keyset.json"), _rig.Mark("ACK")), Is.Null);
    }

    [Test]
    public async Task Commit_IsInTheFlushedLogBeforeItIsAcknowledged()
    {
        await _rig.OwnAsync();

        var trace = await _rig.TraceAsync("commits");

        var log = Path.Combine(_rig.State, "control.db-wal");
        string[] marks = ["BEGIN", .. Enumerable.Range(1, WritingChild.Commits).Select(i => $"ACK{i}")];
        foreach (var (begin, acknowledgement) in marks.Zip(marks.Skip(1)))
            Assert.That(WriteOrder.OfCommit(trace, log, _rig.Mark(begin), _rig.Mark(acknowledgement)), Is.Null, acknowledgement);
    }

    [Test]
    public async Task Import_IsWholeOnTheDiskBeforeTheOneRenameThatDecides()
    {
        await _rig.MakeExportAsync();

        var trace = await _rig.TraceAsync("import");

        var (unfinished, ready) = (Path.Combine(_rig.State, "import.unfinished"), Path.Combine(_rig.State, "import.ready"));
        Assert.That(WriteOrder.OfMove(trace, unfinished, ready), Is.Null);
        Assert.That(WriteOrder.OfMoveOut(trace, ready, _rig.State), Is.Null);
        using var box = new TestBox(_rig.State);
        await box.UnlockAsync();
        Assert.That(box.Store.Get(WritingChild.Notes, "exported"), Is.Not.Null, "it was a real import");
    }

    [Test]
    public async Task Snapshot_IsFlushedBeforeItHasItsName()
    {
        await _rig.OwnAsync();

        var trace = await _rig.TraceAsync("snapshot");

        var snapshot = Directory.GetFiles(Path.Combine(_rig.State, "snapshots")).Single();
        Assert.That(WriteOrder.OfReplacement(trace, snapshot, _rig.Mark("ACK")), Is.Null);
    }
}
