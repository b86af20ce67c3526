using System.Text;
using Microsoft.Extensions.Time.Testing;
using Piccolo.Core.Primitives;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Primitives;

internal sealed class PrimitivesTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [TestCase("Example.COM", "example.com")]
    [TestCase("a.example.com.", "a.example.com")]
    [TestCase("bücher.example", "xn--bcher-kva.example")]
    [TestCase("portal", "portal")]
    public void DomainName_ValidText_HasOneNormalForm(string text, string expected) =>
        Assert.That(DomainName.Parse(text).Value, Is.EqualTo(expected));

    [TestCase("")]
    [TestCase(" ")]
    [TestCase(".")]
    [TestCase("a..b")]
    [TestCase("-a.b")]
    [TestCase("a-.b")]
    [TestCase("a_b.c")]
    [TestCase("*.example.com")]
    [TestCase("127.0.0.1")]
    [TestCase("::1")]
    [TestCase("a/b")]
    [TestCase("../../etc/passwd")]
    [TestCase("a b")]
    [TestCase("a\0b.c")]
    public void DomainName_InvalidText_IsRefused(string text) => Assert.That(DomainName.TryParse(text, out _), Is.False);

    [Test]
    public void DomainName_TooLong_IsRefused() =>
        Assert.That(DomainName.TryParse(string.Join('.', Enumerable.Repeat("abcdefghi", 26)), out _), Is.False);

    [Test]
    public async Task ChangeSignal_RaisedBeforeTheWait_IsNotLost()
    {
        var signal = new ChangeSignal();
        var seen = signal.Version;
        signal.Raise();

        await signal.WaitAsync(seen, CancellationToken.None).WaitAsync(Limit);
    }

    [Test]
    public async Task ChangeSignal_RaisedWhileMany_Wait_WakesAll()
    {
        var signal = new ChangeSignal();
        var waits = Enumerable.Range(0, 100).Select(_ => signal.WaitAsync(signal.Version, CancellationToken.None)).ToArray();

        signal.Raise();

        await Task.WhenAll(waits).WaitAsync(Limit);
    }

    [Test]
    public async Task SignalSet_NothingRaised_ReturnsAfterTheTimeout()
    {
        var time = new FakeTimeProvider();
        var set = new SignalSet(new ChangeSignal(), new ChangeSignal());
        set.Mark();

        var wait = set.WaitAsync(TimeSpan.FromMinutes(1), time, CancellationToken.None);
        Assert.That(wait.IsCompleted, Is.False);
        time.Advance(TimeSpan.FromMinutes(1));

        await wait.WaitAsync(Limit);
    }

    [Test]
    public void AtomicFile_Write_ReplacesAndLeavesNothingBehind()
    {
        using var folder = new TempFolder();
        var path = folder.File("file");

        AtomicFile.Write(path, "old"u8);
        AtomicFile.Write(path, "new"u8);

        Assert.That(File.ReadAllText(path), Is.EqualTo("new"));
        Assert.That(Directory.GetFiles(folder.Path), Has.Length.EqualTo(1));
        Assert.That(File.GetUnixFileMode(path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public void AtomicFile_FlushDirectory_OfAFolderIsDoneAndOfNoneThrows()
    {
        using var folder = new TempFolder();

        Assert.That(() => AtomicFile.FlushDirectory(folder.Path), Throws.Nothing);
        Assert.That(() => AtomicFile.FlushDirectory(folder.File("none")), Throws.InstanceOf<IOException>());
    }

    /// <summary>fcntl.h of x86-64 and arm64: what is named here has another number on each, and a wrong one opens no folder at all.</summary>
    [Test]
    public void Posix_HasNoFlagThatDiffersBetweenArchitectures() => Assert.That(
        typeof(Posix).GetFields().Where(f => f.IsLiteral && (f.Name is "Directory" or "O_DIRECTORY" or "O_DIRECT" or "O_NOFOLLOW" or "O_LARGEFILE")), Is.Empty);

    [Test]
    public void AtomicFile_TargetIsAFolder_ThrowsAndKeepsTheFolder()
    {
        using var folder = new TempFolder();
        var path = folder.File("taken");
        Directory.CreateDirectory(path);

        Assert.That(() => AtomicFile.Write(path, Encoding.UTF8.GetBytes("x")), Throws.InstanceOf<IOException>().Or.InstanceOf<UnauthorizedAccessException>());
        Assert.That(Directory.GetFiles(folder.Path), Is.Empty);
    }
}
