using Piccolo.Core.Vault;

namespace Piccolo.Tests.Core.Vault;

/// <summary>What this processor derives by is libsodium's Argon2id, bit for bit. (That nobody stands still meanwhile is measured by the vault's benchmark.)</summary>
[Category("Sealed")]
internal sealed class Argon2idTests
{
    private const int Seed = 9106;

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

        PasswordKeyDerivation.DeriveBytes(System.Text.Encoding.ASCII.GetBytes(password), System.Text.Encoding.ASCII.GetBytes(salt), memoryKiB, passes, derived);

        Assert.That(Convert.ToHexStringLower(derived), Is.EqualTo(tag));
    }

    [Test]
    public void Memory_MoreThanThereIs_IsRefusedAndNotTaken() =>
        Assert.Throws<InsufficientMemoryException>(() => new Argon2Memory(1L << 46).Dispose());

    private static void AssertSame(Random random, int memoryKiB, int passes)
    {
        var password = new byte[random.Next(0, 120)];
        var salt = new byte[PasswordKeyDerivation.SaltLength];
        random.NextBytes(password);
        random.NextBytes(salt);
        Span<byte> ours = stackalloc byte[Argon2id.Length];
        Span<byte> theirs = stackalloc byte[Argon2id.Length];

        PasswordKeyDerivation.DeriveBytes(password, salt, memoryKiB, passes, ours);
        PasswordKeyDerivation.DeriveByLibrary(password, salt, memoryKiB, passes, theirs);

        Assert.That(Convert.ToHexString(ours), Is.EqualTo(Convert.ToHexString(theirs)), $"{memoryKiB} KiB, {passes} passes");
    }
}
