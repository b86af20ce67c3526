using System.Security.Cryptography;
using System.Text;
using Piccolo.Core.Vault;

namespace Piccolo.Tests.Core.Vault;

internal sealed class RecoveryPhraseTests
{
    // From the test vectors that BIP-39 refers to (256 bits).
    private const string AllZeroes = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon " +
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art";
    private const string AllOnes = "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo vote";

    private static readonly byte[] Entropy = [.. Enumerable.Range(0, 32).Select(i => (byte)(i * 37 + 11))];

    [Test]
    public void Words_AreTheEnglishListOfBip39()
    {
        var list = string.Concat(RecoveryPhrase.Words.Select(w => w + "\n"));

        Assert.That(RecoveryPhrase.Words, Has.Count.EqualTo(2048).And.Ordered.Using((IComparer<string>)StringComparer.Ordinal));
        Assert.That(Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(list))),
            Is.EqualTo("2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"));
    }

    [TestCase(0x00, AllZeroes)]
    [TestCase(0xff, AllOnes)]
    [TestCase(0x7f,
        "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title")]
    [TestCase(0x80, "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter advice cage "
    + "absurd amount doctor acoustic bless")]
    public void Write_PublishedVector_GivesItsWords(int value, string words)
    {
        var entropy = Enumerable.Repeat((byte)value, RecoveryPhrase.EntropyLength).ToArray();

        Assert.That(string.Join(' ', RecoveryPhrase.Write(entropy)), Is.EqualTo(words));
        Assert.That(Read(words), Is.EqualTo(entropy));
    }

    [Test]
    public void TryRead_RandomEntropy_ComesBack()
    {
        var random = new Random(3901);
        for (var i = 0; i < 500; i++)
        {
            var entropy = new byte[RecoveryPhrase.EntropyLength];
            random.NextBytes(entropy);
            Assert.That(Read(string.Join(' ', RecoveryPhrase.Write(entropy))), Is.EqualTo(entropy));
        }
    }

    [TestCase("upper", " ")]
    [TestCase("same", "   \n\t ")]
    [TestCase("same", ", ")]
    [TestCase("same", ";")]
    [TestCase("number.", "\r\n")]
    [TestCase("number)", " ")]
    [TestCase("glued", " ")]
    [TestCase("quoted", ", ")]
    public void TryRead_HoweverItWasPasted_IsForgiven(string shape, string between)
    {
        var words = RecoveryPhrase.Write(Entropy);
        var text = string.Join(between, words.Select((word, i) => shape switch
        {
            "upper" => word.ToUpperInvariant(),
            "number." => $"{i + 1}. {word}",
            "number)" => $"{i + 1}) {char.ToUpperInvariant(word[0])}{word[1..]}",
            "glued" => $"{i + 1}.{word}",
            "quoted" => $"\"{word}\"",
            _ => word,
        }));

        Assert.That(Read($"  {text}\n"), Is.EqualTo(Entropy));
    }

    [Test]
    public void TryRead_AnyOneWordReplaced_IsRefused()
    {
        var words = RecoveryPhrase.Write(Entropy);
        var accepted = 0;
        for (var i = 0; i < words.Length; i++)
        {
            var changed = (string[])words.Clone();
            changed[i] = RecoveryPhrase.Words[(RecoveryPhrase.Words.ToList().IndexOf(words[i]) + 1) % 2048];
            if (Read(string.Join(' ', changed)) is not null) accepted++;
        }

        // Eight bits of checksum let one error in 256 through; then the words do not open the box.
        Assert.That(accepted, Is.LessThanOrEqualTo(2));
    }

    [TestCase("")]
    [TestCase("   ")]
    [TestCase("1. 2. 3.")]
    [TestCase("abandon")]
    [TestCase(AllZeroes + " art")]
    [TestCase("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
        + "abandon abandon abandon abandon abandon abandon abandon")]
    [TestCase("\u0430bandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
    + "abandon abandon abandon abandon abandon abandon abandon art")]
    public void TryRead_NotAPhrase_SaysWhyWithoutQuoting(string text)
    {
        var entropy = new byte[RecoveryPhrase.EntropyLength];
        var error = RecoveryPhrase.TryRead(text, entropy);

        Assert.That(error, Is.Not.Null);
        Assert.That(error!.Message, Does.Not.Contain("abandon"));
        Assert.That(entropy, Is.All.Zero);
    }

    [Test]
    public void TryRead_TextOfAMegabyte_IsRefusedWithoutReadingIt() => Assert.That(
        RecoveryPhrase.TryRead(new string('a', 1 << 20), new byte[RecoveryPhrase.EntropyLength])?.Message, Does.Contain("too long"));

    private static byte[]? Read(string text)
    {
        var entropy = new byte[RecoveryPhrase.EntropyLength];
        return RecoveryPhrase.TryRead(text, entropy) is null ? entropy : null;
    }
}
