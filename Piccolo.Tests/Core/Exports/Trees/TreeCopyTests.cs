using System.Diagnostics;
using System.Formats.Tar;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Piccolo.Core.Exports.Trees;
using Piccolo.Core.Primitives;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Exports.Trees;

/// <summary>A folder into a tar and out of it: nothing that a file system keeps is lost.</summary>
[Category("NeedsRoot")]
internal sealed class TreeCopyTests
{
    private const string Volume = "volumes/0123456789abcdef0123456789abcdef";
    private TempFolder _folder = null!;
    private string _source = "";
    private string _target = "";

    [SetUp]
    public void SetUp()
    {
        _folder = new TempFolder();
        _source = Directory.CreateDirectory(_folder.File("source")).FullName;
        _target = Directory.CreateDirectory(_folder.File("target")).FullName;
        Directory.CreateDirectory(Path.Combine(_target, "volumes"));
    }

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public async Task Copy_FilesFoldersAndLinks_KeepAllThatTheyAre()
    {
        File.WriteAllBytes(Make("empty"), []);
        File.WriteAllText(Make("text"), "hello");
        File.WriteAllBytes(Make("large"), [.. Enumerable.Range(0, 700_001).Select(i => (byte)(i * 7))]);
        File.WriteAllText(Make(string.Join('/', Enumerable.Repeat("nested", 60)) + "/deep"), "deep");
        File.WriteAllText(Make(new string('n', 255)), "a long name");
        Directory.CreateDirectory(Make("nothing in it"));
        File.CreateSymbolicLink(Make("link"), "/nowhere/" + new string('x', 300));
        Assert.That(Posix.MakeFifo(Make("pipe"), 0x180), Is.Zero);
        foreach (var (name, user, group) in (IEnumerable<(string, uint, uint)>)
            [("text", 999, 100), ("link", 4_000_000_000, 3_000_000), ("nested", 65_535, 0), ("pipe", 7, 7)])
            Assert.That(Posix.ChangeOwner(Make(name), user, group), Is.Zero);
        foreach (var (name, mode) in (IEnumerable<(string, int)>)
            [("empty", 0), ("text", 0x9FF), ("large", 0x100), ("nothing in it", 0x5FF), ("nested", 0x5C0), ("pipe", 0x1B6)])
            File.SetUnixFileMode(Make(name), (UnixFileMode)mode);
        SetTime("text", 1_700_000_000, 123_456_789);
        SetTime("empty", -5, 1);
        SetTime("link", 12, 0);
        SetTime("nothing in it", 1_000_000_000, 999_999_999);
        SetTime("nested", 1, 2);

        await CopyAsync();

        Assert.That(Describe(Restored), Is.EqualTo(Describe(_source)));
        Assert.That(Describe(_source), Has.Count.GreaterThan(68));
        Assert.That(File.ReadAllBytes(Path.Combine(Restored, "large")), Is.EqualTo(File.ReadAllBytes(Make("large"))));
    }

    [Test]
    public async Task Copy_NamesOfOneFile_AreNamesOfOneFile()
    {
        File.WriteAllText(Make("a/first"), "one file");
        foreach (var other in (string[])["second", "b/third"]) Assert.That(Posix.Link(Make("a/first"), Make(other)), Is.Zero);
        // A name outside of the volume is not copied, and what is inside stays one file.
        Assert.That(Posix.Link(Make("a/first"), _folder.File("outside")), Is.Zero);

        await CopyAsync();

        var copies = ((string[])["a/first", "second", "b/third"]).Select(n => FileDetails.Of(Path.Combine(Restored, n))).ToList();
        Assert.That(copies.Select(c => c.Inode).Distinct().Count(), Is.EqualTo(1));
        Assert.That(copies.Select(c => c.Names), Is.All.EqualTo(3));
        Assert.That(File.ReadAllText(Path.Combine(Restored, "b/third")), Is.EqualTo("one file"));
    }

    [Test]
    public async Task Copy_FileWithHoles_TakesNoMoreRoomThanBefore()
    {
        const long Length = 3L << 30;
        using (var file = File.OpenHandle(Make("holes"), FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.Write(file, "begin"u8, 1 << 20);
            RandomAccess.Write(file, "middle"u8, 2L << 30);
            RandomAccess.SetLength(file, Length);
        }
        using (var file = File.OpenHandle(Make("only a hole"), FileMode.CreateNew, FileAccess.Write)) RandomAccess.SetLength(file, Length);

        var (tar, summary) = await CopyAsync();

        Assert.That(tar.Length, Is.LessThan(64 * 1024), "the holes are not in the tar");
        Assert.That(summary.Bytes, Is.LessThan(16 * 1024));
        foreach (var name in (string[])["holes", "only a hole"])
        {
            var details = FileDetails.Of(Path.Combine(Restored, name));
            Assert.That((details.Length, details.Blocks), Is.EqualTo((Length, FileDetails.Of(Make(name)).Blocks)), name);
        }
        using var copy = File.OpenHandle(Path.Combine(Restored, "holes"));
        var read = new byte[6];
        RandomAccess.Read(copy, read, 2L << 30);
        Assert.That(read, Is.EqualTo("middle"u8.ToArray()));
        RandomAccess.Read(copy, read, (2L << 30) - 8192);
        Assert.That(read, Is.EqualTo(new byte[6]));
    }

    [Test]
    public async Task Copy_MorePartsThanTheLimit_WritesTheRestOut()
    {
        using (var file = File.OpenHandle(Make("parts"), FileMode.CreateNew, FileAccess.Write))
            for (var i = 0; i < 10; i++) RandomAccess.Write(file, new byte[] { (byte)(i + 1) }, i * 1_000_000L);

        await CopyAsync(new TreeLimits { Segments = 3 });

        Assert.That(File.ReadAllBytes(Path.Combine(Restored, "parts")), Is.EqualTo(File.ReadAllBytes(Make("parts"))));
    }

    [Test]
    public async Task Copy_ExtendedAttributes_ComeAlongByteForByte()
    {
        File.WriteAllText(Make("f"), "x");
        Directory.CreateDirectory(Make("d"));
        foreach (var name in (string[])["f", "d"])
        {
            new ExtendedAttribute("user.gocryptfs.AbC-_09", [0, 255, 10, 61]).WriteTo(Make(name));
            new ExtendedAttribute("user.none", []).WriteTo(Make(name));
        }
        new ExtendedAttribute("trusted.host", [1]).WriteTo(Make("f"));

        await CopyAsync();

        foreach (var name in (string[])["f", "d"])
            Assert.That(ExtendedAttribute.Of(Path.Combine(Restored, name)).Select(a => $"{a.Name}={Convert.ToHexString(a.Value)}"),
                Is.EquivalentTo(new[] { "user.gocryptfs.AbC-_09=00FF0A3D", "user.none=" }));
    }

    [Test]
    public async Task Copy_Socket_IsLeftOut()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Make("socket")));
        File.WriteAllText(Make("file"), "x");

        await CopyAsync();

        Assert.That(Directory.GetFileSystemEntries(Restored).Select(Path.GetFileName), Is.EqualTo(new[] { "file" }));
    }

    [TestCase("device", "holds a device")]
    [TestCase("mount", "another file system")]
    [TestCase("entries", "no more than 3 files")]
    [TestCase("name", "nested deeper")]
    [TestCase("links", "more than 0 files with several names")]
    public async Task Write_WhatNoImportWouldTake_FailsAndSaysWhy(string what, string sentence)
    {
        for (var i = 0; i < 2; i++)
        {
            File.WriteAllText(Make($"f{i}"), "x");
            if (what == "links") Assert.That(Posix.Link(Make($"f{i}"), Make($"again{i}")), Is.Zero);
        }
        if (what == "device") Run("mknod", Make("null"), "c", "1", "3");
        if (what == "entries") File.WriteAllText(Make("one more"), "x");
        if (what == "name") File.WriteAllText(Make(string.Join('/', Enumerable.Repeat(new string('n', 250), 4))), "x");
        if (what == "mount")
        {
            Directory.CreateDirectory(Make("mnt"));
            Run("mount", "-t", "tmpfs", "piccolo-test", Make("mnt"));
        }
        try
        {
            var limits = what switch
            {
                "entries" => new TreeLimits { Entries = 3 },
                "links" => new TreeLimits { LinkedFiles = 0 },
                "name" => new TreeLimits { NameLength = 1000 },
                _ => TreeLimits.Default,
            };
            var failure = await Assert.CatchAsync<TreeUnreadableException>(() => WriteAsync(new MemoryStream(), limits));
            Assert.That(failure!.Message, Does.Contain(sentence));
        }
        finally
        {
            if (what == "mount") Run("umount", Make("mnt"));
        }
    }

    [Test]
    public async Task Write_FileThatBecomesShorter_Fails()
    {
        File.WriteAllBytes(Make("f"), new byte[10_000_000]);
        var cut = false;

        await Assert.CatchAsync<TreeUnreadableException>(() => WriteAsync(new MemoryStream(), TreeLimits.Default, _ =>
        {
            if (cut) return;
            cut = true;
            using var file = File.OpenHandle(Make("f"), FileMode.Open, FileAccess.Write);
            RandomAccess.SetLength(file, 100);
        }));
        Assert.That(cut, Is.True);
    }

    private string Restored => Path.Combine(_target, Volume);

    /// <summary>The path of a name in the source, whose folders are there.</summary>
    private string Make(string name)
    {
        var path = Path.Combine(_source, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private void SetTime(string name, long seconds, long nanoseconds)
    {
        ReadOnlySpan<long> times = [seconds, nanoseconds, seconds, nanoseconds];
        Assert.That(Posix.SetTimes(Posix.AT_FDCWD, Make(name), ref MemoryMarshal.GetReference(times), Posix.AT_SYMLINK_NOFOLLOW), Is.Zero);
    }

    private async Task<TreeSummary> WriteAsync(Stream destination, TreeLimits limits, Action<int>? read = null)
    {
        await using var tar = new TarWriter(destination, TarEntryFormat.Pax, leaveOpen: true);
        return await new TreeWriter(tar, limits, read ?? (_ => { })).WriteAsync(_source, Volume, CancellationToken.None);
    }

    private async Task<(MemoryStream Tar, TreeSummary Summary)> CopyAsync(TreeLimits? limits = null)
    {
        var plain = new MemoryStream();
        var written = await WriteAsync(plain, limits ?? TreeLimits.Default);
        plain.Position = 0;
        await using var tar = new TarReader(new OneWay(plain));
        using var reader = new TreeReader(_target, Volume, TreeLimits.Default);
        while (await tar.GetNextEntryAsync() is { } entry) await reader.PlaceAsync(entry, CancellationToken.None);
        Assert.That(reader.Finish(), Is.EqualTo(written));
        return (plain, written);
    }

    /// <summary>Each name with all that a copy keeps of it, but the inode.</summary>
    private static List<string> Describe(string folder)
    {
        var all = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 };
        return [.. Directory.EnumerateFileSystemEntries(folder, "*", all).Prepend(folder).Order(StringComparer.Ordinal).Select(path =>
        {
            var details = FileDetails.Of(path) with { Inode = 0, Blocks = 0 };
            // How long a folder is its file system decides.
            if (details.IsFolder) details = details with { Length = 0 };
            return $"{Path.GetRelativePath(folder, path)} {details} {(details.IsLink ? new FileInfo(path).LinkTarget : "")}";
        })];
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments))!;
        process.WaitForExit(TimeSpan.FromSeconds(20));
        Assert.That(process.ExitCode, Is.Zero, program);
    }

    /// <summary>As the export comes: forward only.</summary>
    private sealed class OneWay(Stream inner) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.ReadAsync(buffer, cancellationToken);

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
