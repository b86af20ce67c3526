using CsCheck;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Apps.Manifest;

internal sealed class ManifestValuesTests
{
    private static readonly string[] Parts =
        ["$", "{", "}", "$${", "${", ".", "secret", "secret.", "listener", "app.name", "answer.", "x", " ", "\n", "${HOME}", "${secret.db}", "é"];

    private static readonly Gen<string> Texts = Gen.Int[0, Parts.Length - 1].Array[0, 12].Select(parts => string.Concat(parts.Select(p => Parts[p])));

    [TestCase("${secret.db}", "secret db -")]
    [TestCase("a ${listener.web.url}/b ${listener.web.url}", "listener web url", "listener web url")]
    [TestCase("${app.name}${device.time_zone}", "app name -", "device time_zone -")]
    [TestCase("${answer.a}${network.gateway}", "answer a -", "network gateway -")]
    [TestCase("postgres://u:${secret.db}@db/x", "secret db -")]
    [TestCase("$${secret.a}${secret.b}", "secret b -")]
    [TestCase("$$${secret.a}")]
    [TestCase("$ {secret.a} $secret.a ${secret} ${Secret.a} ${secrets.a} ${HOME} ${A:-b} ${} ${.} ${secret.a")]
    [TestCase("${secret.a b}")]
    [TestCase("${${secret.a}}", "secret a -")]
    [TestCase("${secret.a.b.c}", "secret a b.c")]
    [TestCase("")]
    public void References_AreThoseOfTheSixPrefixes(string text, params string[] expected) => Assert.That(
        ManifestValues.References(text).Select(r => $"{r.Prefix} {r.Name} {r.Field ?? "-"}"), Is.EqualTo(expected));

    [TestCase("a${secret.db}b", "a[secret.db]b")]
    [TestCase("${listener.web.url}", "[listener.web.url]")]
    [TestCase("$${secret.db}", "${secret.db}")]
    [TestCase("$${HOME} ${HOME} $HOME $", "${HOME} ${HOME} $HOME $")]
    [TestCase("${secret.db}$${${secret.db}", "[secret.db]${[secret.db]")]
    [TestCase("${secret.", "${secret.")]
    public void Expand_ReplacesReferencesOnly(string text, string expected) =>
        Assert.That(ManifestValues.Expand(text, r => $"[{r.ToString()[2..^1]}]"), Is.EqualTo(expected));

    [Test]
    public void Expand_WhatAValueSays_IsNotLookedAtAgain() =>
        Assert.That(ManifestValues.Expand("${secret.a}", _ => "${secret.a} $${"), Is.EqualTo("${secret.a} $${"));

    [Test]
    public void Expand_NoReferenceAndNoEscape_IsTheSameText() => Texts.Seeded().Sample(text =>
    {
        if (ManifestValues.References(text).Any() || text.Contains("$${", StringComparison.Ordinal)) return;
        Assert.That(ManifestValues.Expand(text, _ => throw new InvalidOperationException()), Is.EqualTo(text));
    });

    [Test]
    public void Expand_ResolvesExactlyTheReferencesInTheirOrder() => Texts.Seeded().Sample(text =>
    {
        var resolved = new List<ValueReference>();
        ManifestValues.Expand(text, r =>
        {
            resolved.Add(r);
            return "";
        });
        Assert.That(resolved, Is.EqualTo(ManifestValues.References(text)));
    });

    /// <summary>A text escaped as the page says comes out as it was, whatever it is.</summary>
    [Test]
    public void Expand_EscapedText_IsTheTextItself() => Texts.Seeded().Sample(text =>
    {
        // The escape of "$${" would begin with the dollar before it.
        if (text.Contains("$${", StringComparison.Ordinal)) return;
        var escaped = text.Replace("${", "$${", StringComparison.Ordinal);
        Assert.That(ManifestValues.Expand(escaped, _ => throw new InvalidOperationException()), Is.EqualTo(text));
    });

    [Test]
    public void Reference_AsText_IsFoundAgain([ValueSource(nameof(Prefixes))] string prefix, [Values("a", "time_zone", "x-1")] string name,
        [Values(null, "url", "b.c")] string? field)
    {
        var reference = new ValueReference(prefix, name, field);

        Assert.That(ManifestValues.References($"x{reference}y"), Is.EqualTo(new[] { reference }));
    }

    private static IEnumerable<string> Prefixes => ManifestValues.Prefixes;

    private static IEnumerable<string> Repeated => ["$", "${", "$${", "${secret.", "${secret.a", "${secret.a}", "${a.b}", "}", "{$", "${listener.a.b"];

    /// <summary>One long text takes about as long as many short ones that are as long together; read over and over, it would take twenty times that.</summary>
    [TestCaseSource(nameof(Repeated))]
    public void Texts_OfAnyLength_AreReadOnce(string part)
    {
        const int parts = 20;
        var small = string.Concat(Enumerable.Repeat(part, 20_000 / part.Length));
        var large = string.Concat(Enumerable.Repeat(small, parts));

        var once = Fastest(() => Read(small, parts));

        Assert.That(Fastest(() => Read(large, 1)), Is.LessThan(4 * once + TimeSpan.FromMilliseconds(40)));

        static TimeSpan Fastest(Action action) => Enumerable.Range(0, 5).Min(_ => ThreadTime.Of(action));
    }

    private static int Read(string text, int times) =>
        Enumerable.Range(0, times).Sum(_ => ManifestValues.Expand(text, _ => "x").Length + ManifestValues.References(text).Count());
}
