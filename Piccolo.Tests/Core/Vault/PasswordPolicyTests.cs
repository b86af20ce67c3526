using Microsoft.Extensions.Options;
using Piccolo.Core.Vault;

namespace Piccolo.Tests.Core.Vault;

internal sealed class PasswordPolicyTests
{
    [TestCase("correct horse battery staple")]
    [TestCase("kitchen table lamp")]
    [TestCase("vT7#qLw2!xRe")]
    [TestCase("\u0434\u043e\u043c \u0434\u0435\u0440\u0435\u0432\u043e \u0440\u0435\u043a\u0430")]
    public void Advise_Strong_IsSilent(string password) => Assert.That(PasswordPolicy.Advise(password), Is.Null);

    [TestCase("vT7#qLw2!", "at least 10 characters")]
    [TestCase("", "at least 10 characters")]
    [TestCase("\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00", "at least 10 characters")]
    [TestCase("password123", "common word")]
    [TestCase("piccolo123", "common word")]
    [TestCase("aaaaaaaaaaaaaaaa", "repeats")]
    [TestCase("qwertyuiop12", "easy|keyboard|common")]
    public void Advise_Weak_SaysWhatToDo(string password, string reason)
    {
        var advice = PasswordPolicy.Advise(password);

        Assert.That(advice, Does.Match(reason));
        Assert.That(advice, Does.Contain("words"));
    }

    [Test]
    public void Advise_AnyText_NeverThrows()
    {
        var random = new Random(7);
        for (var i = 0; i < 200; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(120)).Select(_ => (char)random.Next(i % 2 == 0 ? 128 : 0xD7FF))]);
            Assert.That(() => PasswordPolicy.Advise(text), Throws.Nothing, $"case {i}");
        }
    }

    [Test]
    [CancelAfter(20_000)]
    public void Advise_LongestAccepted_IsJudgedByItsBeginning() => Assert.That(PasswordPolicy.Advise(new string('a', 1024)), Is.Not.Null);

    [Test]
    public void SetupCode_AsAPersonTypesIt_IsAdmitted()
    {
        var code = new SetupCode(Options.Create(new VaultOptions { RequireSetupCode = true }));

        Assert.That(code.Text, Does.Match("^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$"));
        Assert.That(code.Admits(code.Text), Is.True);
        Assert.That(code.Admits($" {code.Text.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal).Replace('0', 'o').Replace('1', 'l')} "), Is.True);
        Assert.That(code.Admits(null), Is.False);
        Assert.That(code.Admits(""), Is.False);
        Assert.That(code.Admits(code.Text[..^1]), Is.False);
        Assert.That(code.Admits(new string('A', 100_000)), Is.False);
    }

    [Test]
    public void SetupCode_NotRequired_AdmitsAnything() => Assert.That(new SetupCode(Options.Create(new VaultOptions())).Admits(null), Is.True);
}
