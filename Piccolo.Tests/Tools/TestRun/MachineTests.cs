using System.Net.Sockets;
using Piccolo.Tests.Fakes;
using Piccolo.TestRun;
using Piccolo.TestRun.Machine;
using Piccolo.TestRun.Report;
using Piccolo.TestRun.Results;

namespace Piccolo.Tests.Tools.TestRun;

/// <summary>What the runner looks at before it runs anything, and what a killed run leaves.</summary>
internal sealed class MachineTests
{
    private const int Dead = 4242;
    private const int Alive = 17;

    [Test]
    public void Disk_PlaceWithTooLittleRoom_IsNamed()
    {
        var faults = DiskRoom.Faults(["/full", "/empty"], place => place == "/full" ? 511L << 20 : 512L << 20);

        Assert.That(faults, Is.EqualTo(["/full has 511 MiB of free disk space; a run needs 512 MiB"]));
    }

    [Test]
    public void Disk_Free_IsThatOfTheFileSystem() => Assert.That(DiskRoom.Free(Path.GetTempPath()), Is.GreaterThan(0));

    [Test]
    public void IPv6_NoneOnTheLoopback_IsSaid()
    {
        Assert.That(LoopbackIPv6.Fault(_ => throw new SocketException((int)SocketError.AddressNotAvailable)),
            Does.StartWith("this machine has no IPv6 on its loopback"));
        Assert.That(LoopbackIPv6.Fault(_ => { }), Is.Null);
    }

    [Test]
    public void Lock_SecondRunInTheSameCheckout_IsRefusedUntilTheFirstEnds()
    {
        using var folder = new TempFolder();
        using (var first = RunLock.Take(folder.File("lock")))
        {
            Assert.That(first, Is.Not.Null);
            Assert.That(RunLock.Take(folder.File("lock")), Is.Null);
        }
        using var next = RunLock.Take(folder.File("lock"));

        Assert.That(next, Is.Not.Null);
    }

    [Test]
    public void Processes_OfAKilledRunOfThisCheckout_AreLeft()
    {
        RunningProcess[] all = [new(1, $"{Dead}:/here", "left"), new(2, $"{Alive}:/here", "runs"), new(3, $"{Dead}:/there", "other checkout"),
            new(4, null, "not a test"), new(5, "x", "odd")];

        Assert.That(LeftBehind.Processes(all, "/here", Lives).Select(p => p.Id), Is.EqualTo([1]));
        Assert.That(LeftBehind.AnotherRunGoesOn(all, Lives), Is.True);
        Assert.That(LeftBehind.AnotherRunGoesOn([all[0]], Lives), Is.False);
    }

    [Test]
    public void Processes_OfAFolderLikeProc_AreReadWithTheirMark()
    {
        using var folder = new TempFolder();
        foreach (var id in (string[])["12", "13", "self"]) Directory.CreateDirectory(folder.File(id));
        File.WriteAllText(Path.Combine(folder.File("12"), "environ"), $"HOME=/\0{DotnetTest.MarkVariable}={Dead}:/here\0");
        File.WriteAllText(Path.Combine(folder.File("12"), "cmdline"), "dotnet\0x.dll\0");

        Assert.That(RunningProcess.All(folder.Path), Is.EqualTo([new RunningProcess(12, $"{Dead}:/here", "dotnet x.dll")]), "13 has ended meanwhile");
    }

    [Test]
    public void Links_OfTestsAndOfBridgesWithoutTheirPodman_AreLeft() => Assert.That(
        LeftBehind.Links(["lo", "eth0", "piccolo-t0", "piccolo-t1", "piccolo0", "pic00c0ffee", "picdeadbeef", "podman0"], ["piccolo-podman-deadbeef"]),
        Is.EqualTo(["piccolo-t0", "piccolo-t1", "pic00c0ffee"]));

    [Test]
    public void Mounts_BelowFoldersOfTestsThatEnded_AreLeftInnermostFirst()
    {
        string[] lines =
        [
            "22 1 0:20 / / rw - ext4 /dev/vda rw", $"40 22 0:41 / /tmp/piccolo-test-{Dead}-ab/mnt rw - tmpfs piccolo-test rw",
            $"42 40 0:42 / /tmp/piccolo-test-{Dead}-ab/mnt/inner rw - tmpfs x rw",
            $"43 22 0:43 / /tmp/piccolo-test-{Alive}-cd/mnt rw - tmpfs piccolo-test rw", "44 22 0:44 / /tmp/piccolo-test-ab/mnt rw - tmpfs x rw",
            "45 22 0:45 / /home rw - ext4 x rw",
        ];

        Assert.That(LeftBehind.Mounts(lines, "/tmp", Lives), Is.EqualTo([$"/tmp/piccolo-test-{Dead}-ab/mnt/inner", $"/tmp/piccolo-test-{Dead}-ab/mnt"]));
    }

    [Test]
    public void Folders_OfTestsThatEnded_AreLeft() => Assert.That(
        LeftBehind.Folders([$"/tmp/piccolo-test-{Dead}-ab", $"/tmp/piccolo-test-{Alive}-cd", "/tmp/piccolo-test-xy", "/tmp/other"], Lives),
        Is.EqualTo([$"/tmp/piccolo-test-{Dead}-ab"]));

    [Test]
    public void Port_TakenByAnother_IsSaidInASentence()
    {
        Assert.That(PortTaken.Sentence([new TestResult("N.A.One", "N.A.One", "Failed", "SocketException : Address already in use")]),
            Does.Contain("holds a port").And.EndsWith("N.A.One"));
        Assert.That(PortTaken.Sentence([new TestResult("N.A.One", "N.A.One", "Failed", "Expected: 200")]), Is.Null);
    }

    private static bool Lives(int id) => id == Alive;
}
