namespace Piccolo.Tests.Core.Durability;

/// <summary>The reading of a trace and the judgement on it, without a process.</summary>
internal sealed class SystemCallTraceTests
{
    private static readonly string[] Right =
    [
        """7  openat(AT_FDCWD</>, "/s/k.1.tmp", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 5</s/k.1.tmp>""",
        """7  pwrite64(5</s/k.1.tmp>, "{ \"a\": \"/s/other\" }", 20, 0) = 20""",
        """7  fsync(5</s/k.1.tmp> <unfinished ...>""",
        """8  write(9</s/log>, "x", 1) = 1""",
        """7  <... fsync resumed>)              = 0""",
        """7  rename("/s/k.1.tmp", "/s/k") = 0""",
        """7  fsync(4</s>)                      = 0""",
        """7  openat(AT_FDCWD</>, "/m/ACK", O_RDWR|O_CREAT|O_CLOEXEC, 0666) = 5</m/ACK>""",
        """8  +++ exited with 0 +++""",
    ];

    [Test]
    public void Parse_CallsOfTwoThreads_AreReadWithTheirFilesAndOrder()
    {
        var trace = SystemCallTrace.Parse(Right);

        Assert.That(trace.Select(c => c.Name), Is.EqualTo(new[] { "openat", "pwrite64", "fsync", "write", "rename", "fsync", "openat" }));
        Assert.That(trace[1].Paths, Is.EqualTo(new[] { "/s/k.1.tmp" }), "what is written is not a file");
        Assert.That((trace[2].Started, trace[2].Ended, trace[2].Path), Is.EqualTo((3, 5, "/s/k.1.tmp")));
        Assert.That(trace[4].Paths, Is.EqualTo(new[] { "/s/k.1.tmp", "/s/k" }));
    }

    [Test]
    public void Parse_CallThatFailedOrNeverReturned_DidNotSucceed()
    {
        var trace = SystemCallTrace.Parse(
            ["""7 fsync(5</s/k>) = -1 EIO (Input/output error)""", """7 pwrite64(5</s/k>, "2", 1, 2) = ?""", "7 +++ killed by SIGKILL +++"]);

        Assert.That(trace.Select(c => c.Succeeded), Is.EqualTo(new[] { false, false }));
    }

    [Test]
    public void OfReplacement_InOrder_IsRight() => Assert.That(WriteOrder.OfReplacement(SystemCallTrace.Parse(Right), "/s/k", "/m/ACK"), Is.Null);

    [TestCase(new[] { 2, 4 }, "/s/k.1.tmp is not flushed after its last write", TestName = "OfReplacement_TemporaryNotFlushed_SaysSo")]
    [TestCase(new[] { 6 }, "the folder /s is not flushed after rename of /s/k.1.tmp", TestName = "OfReplacement_FolderNotFlushed_SaysSo")]
    [TestCase(new[] { 5 }, "/s/k is not renamed into its place, once", TestName = "OfReplacement_NotRenamed_SaysSo")]
    [TestCase(new[] { 7 }, "it was never acknowledged", TestName = "OfReplacement_NotAcknowledged_SaysSo")]
    public void OfReplacement_LineMissing_SaysWhatIsWrong(int[] missing, string wrong) =>
        Assert.That(WriteOrder.OfReplacement(SystemCallTrace.Parse(Right.Where((_, i) => !missing.Contains(i))), "/s/k", "/m/ACK"), Is.EqualTo(wrong));

    [Test]
    public void OfReplacement_FlushThatEndsAfterTheRename_IsWrong()
    {
        string[] late = [.. Right[..4], Right[5], Right[4], .. Right[6..]];

        Assert.That(WriteOrder.OfReplacement(SystemCallTrace.Parse(late), "/s/k", "/m/ACK"), Is.EqualTo("/s/k.1.tmp is not flushed after its last write"));
    }

    [Test]
    public void OfReplacement_AcknowledgedBeforeTheFolderIsFlushed_IsWrong()
    {
        string[] early = [.. Right[..6], Right[7], Right[6]];

        Assert.That(WriteOrder.OfReplacement(SystemCallTrace.Parse(early), "/s/k", "/m/ACK"), Does.StartWith("the folder /s is not flushed"));
    }

    [TestCase(true, null)]
    [TestCase(false, "/s/db-wal is not flushed after its last write")]
    public void OfCommit_LogFlushedOrNot_IsTold(bool flushed, string? wrong)
    {
        string[] lines =
        [
            """7 openat(AT_FDCWD</>, "/m/BEGIN", O_RDWR|O_CREAT, 0666) = 5</m/BEGIN>""",
            """7 pwrite64(6</s/db-wal>, "1", 1, 0) = 1""",
            .. flushed ? (string[])["""7 fdatasync(6</s/db-wal>) = 0"""] : [],
            """7 openat(AT_FDCWD</>, "/m/ACK", O_RDWR|O_CREAT, 0666) = 5</m/ACK>""",
        ];

        Assert.That(WriteOrder.OfCommit(SystemCallTrace.Parse(lines), "/s/db-wal", "/m/BEGIN", "/m/ACK"), Is.EqualTo(wrong));
    }
}
