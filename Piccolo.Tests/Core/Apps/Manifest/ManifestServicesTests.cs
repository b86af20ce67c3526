using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Tests.Core.Apps.Manifest;

/// <summary>What a manifest with services becomes, and that the short form is one service of them.</summary>
internal sealed class ManifestServicesTests
{
    private static readonly AppManifest Photos = ParseFile("services");

    [Test]
    public void Parse_Services_TakesEachInTheOrderOfTheText() => Assert.That(
        Photos.Services.Select(s => (s.Name, s.Image)), Is.EqualTo(new[]
        {
            ("server", "ghcr.io/example/server:v3.1.0"),
            ("migrate", "ghcr.io/example/server:v3.1.0"),
            ("cache", "docker.io/valkey/valkey:9"),
            ("db", "ghcr.io/example/postgres:14"),
        }));

    [Test]
    public void Parse_Service_TakesEveryField()
    {
        var server = Photos.Services[0];

        Assert.That(server.Command, Is.EqualTo(new[] { "serve", "--name", "${app.name}", "two words" }));
        Assert.That(server.Environment["SHELL_STYLE"], Is.EqualTo("${HOME} and $${secret.db}"), "values are filled in when the container is made");
        Assert.That(server.Mounts, Is.EqualTo(new[]
        {
            new MountDefinition("/data", "library"),
            new MountDefinition("/data/cache", "models") { IsReadOnly = true },
        }), "outer paths first");
        Assert.That(server.DependsOn, Is.EqualTo(new Dictionary<string, DependencyCondition>
        {
            ["cache"] = DependencyCondition.Started,
            ["db"] = DependencyCondition.Healthy,
            ["migrate"] = DependencyCondition.Completed,
        }));
        Assert.That((server.User, server.WorkingDirectory, server.Hostname, server.HasInit), Is.EqualTo(("1000:1000", "/app", "photos.example.org", true)));
        Assert.That((server.StopSignal, server.StopGrace), Is.EqualTo(("SIGINT", TimeSpan.FromMinutes(1))));
        Assert.That(server.HealthCheck, Is.EqualTo(new HealthCheckDefinition
        {
            Http = new HttpCheck("/api/ping", 2283),
            Command = server.HealthCheck!.Command,
            Interval = TimeSpan.FromMinutes(1),
            Timeout = TimeSpan.FromSeconds(5),
            Retries = 5,
            StartPeriod = TimeSpan.FromMinutes(90),
        }));
        Assert.That(server.HealthCheck.Command, Is.Empty);
    }

    [Test]
    public void Parse_Database_TakesResourcesAndAliases()
    {
        var db = Photos.Services[3];

        Assert.That(db.Aliases, Is.EqualTo(new[] { "photos_postgres", "Database.Old" }));
        Assert.That((db.SharedMemoryBytes, db.MemoryBytes, db.NanoCpus), Is.EqualTo((256L << 20, 1L << 30, 2_000_000_000L)));
        Assert.That(db.TemporaryFolders, Is.EqualTo(new Dictionary<string, long> { ["/run"] = 16 << 20, ["/tmp"] = 64 << 20 }));
        Assert.That((db.HealthCheck!.Http, db.HealthCheck.TcpPort), Is.EqualTo(((HttpCheck?)null, (int?)null)), "what the image declares");
    }

    [Test]
    public void Parse_OnceAndCommandCheck_AreTaken()
    {
        Assert.That((Photos.Services[1].Run, Photos.Services[1].Entrypoint.Single()), Is.EqualTo((RunMode.Once, "/migrate.sh")));
        Assert.That(Photos.Services[2].HealthCheck!.Command, Is.EqualTo(new[] { "redis-cli", "ping" }));
    }

    [Test]
    public void Parse_TopPermissions_AreTheDefaultOfAllServices() =>
        Assert.That(Photos.Services.Select(s => s.IsRootReadOnly), Is.EqualTo(new[] { false, true, true, true }));

    [Test]
    public void Parse_VolumesAndSecrets_TakeTheirDefaults()
    {
        Assert.That(Photos.Volumes, Is.EqualTo(new Dictionary<string, VolumeDefinition>
        {
            ["db"] = new(VolumeKind.Data, null),
            ["library"] = new(VolumeKind.Media, 500L << 30),
            ["models"] = new(VolumeKind.Cache, null),
        }));
        Assert.That(Photos.Secrets, Is.EqualTo(new Dictionary<string, SecretDefinition>
        {
            ["db"] = new(SecretFormat.Alnum, 32),
            ["id"] = new(SecretFormat.Uuid, 36),
            ["key"] = new(SecretFormat.Base64, 64),
        }));
    }

    [Test]
    public void ServiceOf_EachListener_IsTheOneThatItNames()
    {
        Assert.That(Photos.Listeners.Select(l => Photos.ServiceOf(l).Name), Is.EqualTo(new[] { "server", "db" }), "both at the same port of their own");
        Assert.That(Photos.Main.Name, Is.EqualTo("server"));
    }

    [Test]
    public void Parse_ShortForm_IsOneServiceNamedMainWithTheVolumesAtTheirContainers()
    {
        var manifest = Parse("""
            name: notes
            image: notes:1
            mounts: { /extra: more }
            listeners: [{ name: notes, guest_port: 80, service: main }]
            storage: { persistent: { data: { container: /data/, kind: from_image }, more: { size_limit: 1.5 TB } } }
            """);

        Assert.That(manifest.Services.Single().Name, Is.EqualTo("main"));
        Assert.That(manifest.Services.Single().Mounts,
            Is.EqualTo(new[] { new MountDefinition("/data", "data"), new MountDefinition("/extra", "more") }));
        Assert.That(manifest.Volumes["data"].Kind, Is.EqualTo(VolumeKind.FromImage));
        Assert.That(manifest.Volumes["more"].SizeLimitBytes, Is.EqualTo(1536L << 30));
        Assert.That(manifest.Listeners.Single().Service, Is.Null, "the only one, whether it is said or not");
    }

    [TestCase("healthcheck:\n", null)]
    [TestCase("healthcheck: {}\n", null)]
    [TestCase("healthcheck: image\n", 120)]
    [TestCase("healthcheck: { image: true }\n", 120)]
    [TestCase("healthcheck: { start_period: 10m }\n", 600)]
    [TestCase("healthcheck: { tcp: { port: 5432 }, start_period: 0s }\n", 0)]
    public void Parse_HealthCheck_EachForm_IsTaken(string field, int? startPeriod)
    {
        var check = Parse("name: a\nimage: b\nlisteners: [{ name: c, guest_port: 1 }]\n" + field).Main.HealthCheck;

        Assert.That(check?.StartPeriod.TotalSeconds, Is.EqualTo(startPeriod));
        Assert.That(check?.TcpPort, Is.EqualTo(field.Contains("tcp", StringComparison.Ordinal) ? 5432 : (int?)null));
    }

    private static AppManifest ParseFile(string name) =>
        Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "TestData", "manifests", "valid", name + ".yaml")));

    private static AppManifest Parse(string text)
    {
        var result = AppManifestParser.Parse(text);
        Assert.That(result.Errors, Is.Empty);
        return result.Manifest!;
    }
}
