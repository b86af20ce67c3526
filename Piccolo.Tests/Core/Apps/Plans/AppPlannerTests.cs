using System.Collections.Immutable;
using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Plans;
using Piccolo.Core.Containers;
using Piccolo.Core.Listeners;
using Piccolo.Tests.Core.Certificates;
using Piccolo.Tests.Fakes.Clocks;

namespace Piccolo.Tests.Core.Apps.Plans;

internal sealed class AppPlannerTests
{
    private readonly Urls _urls = new();
    private TemporaryFolder _folder = null!;
    private AppPlanner _planner = null!;

    [SetUp]
    public void Make()
    {
        _urls.Host = "web.example.org";
        _folder = new TemporaryFolder();
        var instance = InstanceId.ReadOrCreate(new Piccolo.Core.Primitives.StatePaths(_folder.Path), out _);
        _planner = new AppPlanner(_urls, instance, new SteppedTime(DateTimeOffset.UnixEpoch));
    }

    [TearDown]
    public void Clean() => _folder.Dispose();

    [Test]
    public void Plan_Values_AreResolved()
    {
        var app = App(("URL", "see ${listener.web.url}/x"), ("PASS", "a${secret.db}z"), ("NAME", "${app.name}"), ("OTHER", "${HOME}"));

        var plan = _planner.Plan(app, Secrets("s3"))!;

        Assert.That(plan.Services[0].Spec.Environment, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["NAME"] = "notes",
            ["OTHER"] = "${HOME}",
            ["PASS"] = "as3z",
            ["URL"] = "see https://web.example.org/x",
        }));
    }

    [Test]
    public void Plan_SecretMissing_IsNone() => Assert.That(_planner.Plan(App(("PASS", "${secret.db}")), null), Is.Null);

    [Test]
    public void Plan_OtherDomain_ChangesOnlySpecsWhoseValuesNameIt()
    {
        var app = App(("URL", "${listener.web.url}"));
        var before = _planner.Plan(app, null)!;

        _urls.Host = "web.example.net";
        var after = _planner.Plan(app, null)!;

        Assert.That(after.Hash, Is.Not.EqualTo(before.Hash));
        Assert.That(after.Services[0].Spec.Hash, Is.Not.EqualTo(before.Services[0].Spec.Hash));
        Assert.That(after.Services[1].Spec.Hash, Is.EqualTo(before.Services[1].Spec.Hash));
    }

    [Test]
    public void Plan_Ports_GoToTheServiceThatTheListenerNames()
    {
        var plan = _planner.Plan(App(), null)!;

        Assert.That(plan.Services.Select(s => s.Spec.Ports.Length), Is.EqualTo(new[] { 1, 0 }));
        Assert.That(plan.Main, Is.EqualTo("web"));
        Assert.That(plan.Services.Select(s => string.Join(' ', s.Spec.Peers.Keys)), Is.EqualTo(new[] { "db web", "db web" }));
    }

    [Test]
    public void Plan_OtherMountOrDependency_IsAnotherPlan()
    {
        var app = App();
        var service = app.Manifest.Services[1];
        var mounted = app with
        {
            Manifest = app.Manifest with { Services = [app.Manifest.Services[0], service with { Mounts = [new MountDefinition("/data", "data")] }] },
        };
        var depends = app with
        {
            Manifest = app.Manifest with
            {
                Services = [app.Manifest.Services[0], service with { DependsOn = service.DependsOn.Add("web", DependencyCondition.Started) }],
            },
        };

        Assert.That(new[] { app, mounted, depends }.Select(a => _planner.Plan(a, null)!.Hash), Is.Unique);
    }

    private static AppSecrets Secrets(string value) => new("notes", ImmutableSortedDictionary<string, string>.Empty.Add("db", value));

    private static AppRecord App(params (string Name, string Value)[] environment)
    {
        var manifest = new AppManifest(
            "notes", AppType.User,
            [
                new ServiceManifest("web", "localhost/web:1")
                {
                    Environment = environment.ToImmutableSortedDictionary(e => e.Name, e => e.Value, StringComparer.Ordinal),
                },
                new ServiceManifest("db", "localhost/db:1"),
            ],
            [new ListenerDefinition("web", 8080, ListenerFlow.Tcp, ListenerProtocol.Http, ListenerDefinition.DefaultRemotePorts) { Service = "web" }]);
        return new AppRecord(
            "notes", "", manifest, [new AppPorts("web", 15000, 35000)], DesiredState.Running, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);
    }

    private sealed class Urls : IListenerUrls
    {
        public string Host { get; set; } = "web.example.org";

        public ListenerUrl Of(PublishedListener listener) => new("https", Host, 443);
    }
}
