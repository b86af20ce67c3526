using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Manifest.Notation;

namespace Piccolo.Tests.Core.Apps.Manifest;

/// <summary>How single values are written: words of a command, times, sizes, names that are nearly right; and what is known of databases.</summary>
internal sealed class NotationTests
{
    [TestCase("", new string[0])]
    [TestCase("  a\tb\n c ", new[] { "a", "b", "c" })]
    [TestCase("a 'b c' \"d e\"", new[] { "a", "b c", "d e" })]
    [TestCase("a'b'\"c\"d", new[] { "abcd" })]
    [TestCase("'' \"\"", new[] { "", "" })]
    [TestCase("'a\\b' \"a\\b\" a\\b", new[] { "a\\b", "a\\b", "ab" })]
    [TestCase("\"a\\\"b\\\\c\\$d\"", new[] { "a\"b\\c$d" })]
    [TestCase("a\\ b", new[] { "a b" })]
    [TestCase("a\\\nb", new[] { "ab" })]
    [TestCase("a && b | c > d; $(e) `f` $G *", new[] { "a", "&&", "b", "|", "c", ">", "d;", "$(e)", "`f`", "$G", "*" })]
    [TestCase("${secret.a} '$${x}'", new[] { "${secret.a}", "$${x}" })]
    public void Words_AreSplitAsAShellDoes(string text, string[] expected)
    {
        Assert.That(ShellWords.TrySplit(text, out var words), Is.True);
        Assert.That(words, Is.EqualTo(expected));
    }

    [TestCase("'"), TestCase("a \"b"), TestCase("a\\"), TestCase("\"a\\"), TestCase("'a\\'b'")]
    public void Words_WithoutAnEnd_AreNone(string text) => Assert.That(ShellWords.TrySplit(text, out _), Is.False);

    [TestCase("0s", 0), TestCase("90s", 90), TestCase("5m", 300), TestCase("1h30m", 5400), TestCase("1h1m1s", 3661), TestCase("99h9999m99999s", 1056339)]
    public void Duration_IsSumOfItsParts(string text, int seconds)
    {
        Assert.That(Durations.TryParse(text, out var duration), Is.True);
        Assert.That(duration.TotalSeconds, Is.EqualTo(seconds));
        Assert.That(Durations.TryParse(Durations.Write(duration), out var again) ? again : default, Is.EqualTo(seconds < 100_000 ? duration : default));
    }

    [TestCase(""), TestCase("5"), TestCase("5 s"), TestCase("1s1h"), TestCase("-1s"), TestCase("1.5h"), TestCase("100h"), TestCase("1S"), TestCase("1s\n")]
    public void Duration_OtherText_IsNone(string text) => Assert.That(Durations.TryParse(text, out _), Is.False);

    [TestCase(0, "0B"), TestCase(1023, "1023B"), TestCase(1024, "1KB"), TestCase(1536L << 20, "1536MB"), TestCase(1L << 42, "4TB")]
    [TestCase(1L << 60, "1048576TB")]
    public void Bytes_AreWrittenWithoutLoss(long bytes, string text)
    {
        Assert.That(ResourceSizes.WriteBytes(bytes), Is.EqualTo(text));
        Assert.That(ResourceSizes.TryParseBytes(text, out var again) ? again : -1, Is.EqualTo(bytes));
    }

    [TestCase("imgae", "image"), TestCase("images", "image"), TestCase("Image", "image"), TestCase("guestPort", "guest_port"), TestCase("usre", "user")]
    [TestCase("ab", null), TestCase("", null), TestCase("picture", null), TestCase("us", null)]
    public void Nearest_IsAtMostTwoSlipsAway(string name, string? expected) =>
        Assert.That(NearestName.Of(name, ["user", "image", "guest_port", "aliases"]), Is.EqualTo(expected));

    [TestCase("postgres", 120), TestCase("docker.io/library/postgres:17-alpine", 120), TestCase("ghcr.io/example/postgres:14@sha256:00", 120)]
    [TestCase("mariadb:11", 120), TestCase("mysql", 120), TestCase("mongo:8", 120), TestCase("redis:8", 120), TestCase("docker.io/valkey/valkey:9", 120)]
    [TestCase("clickhouse/clickhouse-server:25", 120), TestCase("localhost:5000/influxdb", 120)]
    [TestCase("nginx:1", 30), TestCase("postgres/web:1", 30), TestCase("my-postgres", 30), TestCase("example/postgres-exporter", 30)]
    [TestCase("web:postgres", 30)]
    public void StopGrace_OfAStore_IsLonger(string image, int seconds)
    {
        Assert.That(StopGraces.For(new ServiceManifest("a", image)).TotalSeconds, Is.EqualTo(seconds));
        Assert.That(KnownStores.IsStore(image), Is.EqualTo(seconds == 120));
        Assert.That(StopGraces.For(new ServiceManifest("a", image) { StopGrace = TimeSpan.FromSeconds(7) }).TotalSeconds, Is.EqualTo(7), "its own comes first");
    }
}
