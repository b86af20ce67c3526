using System.Collections.Immutable;
using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Tests.Core.Apps.Manifest;

internal sealed class ManifestWarningsTests
{
    private const string Listeners = "listeners: [{ name: c, guest_port: 1 }]\n";

    [TestCase("b:1.2", null)]
    [TestCase("b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", null)]
    [TestCase("b:latest@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", null)]
    [TestCase("b", "without tag")]
    [TestCase("registry.example.org:5000/b", "without tag")]
    [TestCase("b:latest", "'latest'")]
    public void Image_WithoutAFixedTag_IsUnpinned(string image, string? words)
    {
        var warnings = Warnings($"name: a\nimage: {image}\n{Listeners}");

        Assert.That(warnings.Select(w => w.Path), words is null ? Is.Empty : Is.EqualTo(new[] { "image" }));
        if (words is not null) Assert.That(warnings[0].Message, Does.Contain("unpinned").And.Contain(words));
    }

    [TestCase("postgres:17", "/var/lib/postgresql/data", null)]
    [TestCase("ghcr.io/example/postgres:14-vector", "/var/lib/postgresql", null)]
    [TestCase("postgres:17", "/var/lib", null)]
    [TestCase("postgres:17", "/data", "no volume at /var/lib/postgresql/data")]
    [TestCase("postgres:18", "/var/lib/postgresql/data", "From version 18")]
    [TestCase("postgres:18", "/var/lib/postgresql", null)]
    [TestCase("mariadb:11", "/config", "no volume at /var/lib/mysql")]
    [TestCase("mongo:8", "/data/db", null)]
    [TestCase("valkey/valkey:9", "/data", null)]
    [TestCase("valkey/valkey:9", "/var", "no volume at /data")]
    [TestCase("nginx:1", "/srv", null)]
    public void Store_WithItsVolumeElsewhere_IsWarnedOf(string image, string path, string? words)
    {
        var warnings = Warnings(
            $"name: a\nservices: {{ w: {{ image: w:1 }}, db: {{ image: \"{image}\", mounts: {{ {path}: d }} }} }}\n"
            + "listeners: [{ name: c, service: w, guest_port: 1 }]\nstorage: { persistent: { d: {} } }\n");

        Assert.That(warnings.Select(w => w.Path), words is null ? Is.Empty : Is.EqualTo(new[] { "services.db.mounts" }));
        if (words is not null) Assert.That(warnings[0].Message, Does.Contain(words));
    }

    [Test]
    public void Store_ThatIsToldWhereItsDataIs_IsNot() => Assert.That(
        Warnings("name: a\nimage: postgres:17\nenvironment: { PGDATA: /data }\nmounts: { /data: d }\nstorage: { persistent: { d: {} } }\n" + Listeners),
        Is.Empty);

    [TestCase("redis:8", "http", "Redis does not speak HTTP")]
    [TestCase("redis:8", "raw", null)]
    [TestCase("influxdb:3", "http", null)]
    [TestCase("nginx:1", "http", null)]
    public void Listener_ForHttpOfAStore_IsWarnedOf(string image, string protocol, string? words)
    {
        var warnings = Warnings(
            $"name: a\nimage: {image}\nlisteners: [{{ name: c, guest_port: 1, protocol: {protocol} }}]\n"
            + "mounts: { /data: d, /var/lib/influxdb2: d }\nstorage: { persistent: { d: {} } }\n");

        Assert.That(warnings.Select(w => w.Path), words is null ? Is.Empty : Is.EqualTo(new[] { "listeners[0].protocol" }));
        if (words is not null) Assert.That(warnings[0].Message, Does.Contain(words));
    }

    [Test]
    public void VolumesAndSecrets_ThatNobodyUses_AreWarnedOf()
    {
        var warnings = Warnings($"name: a\nimage: b:1\n{Listeners}command: [x, \"${{secret.used}}\"]\n"
            + "storage: { persistent: { used: { container: /d }, left: {} } }\nsecrets: { used: { generate: hex }, left: { generate: hex } }\n");

        Assert.That(warnings.Select(w => w.Path), Is.EqualTo(new[] { "storage.persistent.left", "secrets.left" }));
    }

    private static ImmutableArray<ManifestWarning> Warnings(string text)
    {
        var result = AppManifestParser.Parse(text);
        Assert.That(result.Errors, Is.Empty);
        return result.Warnings;
    }
}
