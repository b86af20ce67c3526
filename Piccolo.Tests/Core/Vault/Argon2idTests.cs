using System.Diagnostics;
using System.Globalization;
using Piccolo.Core.Vault;

namespace Piccolo.Tests.Core.Vault;

/// <summary>Our Argon2id is libsodium's, bit for bit, and nobody stands still while it takes and gives back its memory.</summary>
[Category("Sealed")]
internal sealed class Argon2idTests
{
    private const int Seed = 9106;

    [OneTimeSetUp]
    public void SetUp() => Assume.That(Argon2Block.IsSupported, "this processor leaves Argon2id to libsodium");

    /// <summary>From the least memory there can be over sizes that are no multiple of four to the least that a key set may have.</summary>
    [TestCase(8, 1)]
    [TestCase(9, 1)]
    [TestCase(11, 4)]
    [TestCase(513, 1)]
    [TestCase(1000, 2)]
    [TestCase(2052, 3)]
    [TestCase(KdfCost.MinMemoryMiB * 1024, KdfCost.MinIterations)]
    public void Derive_AnyCost_IsWhatLibsodiumDerives(int memoryKiB, int passes) => AssertSame(new Random(Seed + memoryKiB), memoryKiB, passes);

    [Test]
    public void Derive_ManyPasswords_IsWhatLibsodiumDerives()
    {
        var random = new Random(Seed);
        for (var i = 0; i < 300; i++) AssertSame(random, random.Next(8, 300), random.Next(1, 5));
    }

    /// <summary>Published by the reference implementation's own test: <c>argon2id</c>, version 0x13, one lane.</summary>
    [TestCase("password", "somesalt", 2, 65536, "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7")]
    [TestCase("password", "somesalt", 2, 256, "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe")]
    [TestCase("password", "somesalt", 1, 65536, "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98")]
    [TestCase("differentpassword", "somesalt", 2, 65536, "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde")]
    [TestCase("password", "diffsalt", 2, 65536, "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c")]
    public void Derive_PublishedVector_GivesItsTag(string password, string salt, int passes, int memoryKiB, string tag)
    {
        Span<byte> derived = stackalloc byte[Argon2id.Length];

        Argon2id.Derive(System.Text.Encoding.ASCII.GetBytes(password), System.Text.Encoding.ASCII.GetBytes(salt), memoryKiB, passes, derived);

        Assert.That(Convert.ToHexStringLower(derived), Is.EqualTo(tag));
    }

    [Test]
    public void Memory_MoreThanThereIs_IsRefusedAndNotTaken() =>
        Assert.Throws<InsufficientMemoryException>(() => new Argon2Memory(1L << 46).Dispose());

    /// <summary>
    /// What the process's other threads need of its address space they get at once. One call for all of the memory, as libsodium makes it, kept them waiting for
    /// as long as the kernel clears a quarter of a GiB.
    /// </summary>
    [Test]
    public async Task Derive_WhileItRuns_OthersGetTheirPages()
    {
        const int memoryKiB = 256 * 1024;
        var byUs = await LongestWaitAsync(() => Argon2id.Derive("a password"u8, new byte[16], memoryKiB, 1, new byte[Argon2id.Length]));
        var byLibrary = await LongestWaitAsync(() => PasswordKeyDerivation.DeriveByLibrary("a password"u8, new byte[16], memoryKiB, 1, new byte[Argon2id.Length]));

        TestContext.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"longest wait for a page: {byUs.TotalMilliseconds:0.0} ms, by libsodium {byLibrary.TotalMilliseconds:0.0} ms"));
        Assert.That(byUs, Is.LessThan(byLibrary / 2));
    }

    /// <summary>Maps a page and unmaps it, over and over, while the work runs. The median of several runs: the machine has other work too.</summary>
    private static async Task<TimeSpan> LongestWaitAsync(Action work)
    {
        var runs = new List<TimeSpan>();
        for (var i = 0; i < 7; i++)
        {
            var running = Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            var longest = TimeSpan.Zero;
            while (!running.IsCompleted)
            {
                var began = Stopwatch.GetTimestamp();
                new Argon2Memory(Environment.SystemPageSize).Dispose();
                if (Stopwatch.GetElapsedTime(began) is var took && took > longest) longest = took;
            }
            await running;
            runs.Add(longest);
        }
        return runs.Order().ElementAt(runs.Count / 2);
    }

    private static void AssertSame(Random random, int memoryKiB, int passes)
    {
        var password = new byte[random.Next(0, 120)];
        var salt = new byte[PasswordKeyDerivation.SaltLength];
        random.NextBytes(password);
        random.NextBytes(salt);
        Span<byte> ours = stackalloc byte[Argon2id.Length];
        Span<byte> theirs = stackalloc byte[Argon2id.Length];

        Argon2id.Derive(password, salt, memoryKiB, passes, ours);
        PasswordKeyDerivation.DeriveByLibrary(password, salt, memoryKiB, passes, theirs);

        Assert.That(Convert.ToHexString(ours), Is.EqualTo(Convert.ToHexString(theirs)), $"{memoryKiB} KiB, {passes} passes");
    }
}
