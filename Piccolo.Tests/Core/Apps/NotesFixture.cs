using System.Collections.Immutable;
using Piccolo.Core.Apps;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Listeners;

namespace Piccolo.Tests.Core.Apps;

/// <summary>An app of two services: a database with a volume and a secret, and what waits for its health.</summary>
internal abstract class NotesFixture : AppSupervisorFixture
{
    protected async Task RunNotesAsync()
    {
        _rig.Install(Notes());
        await _rig.StartAsync();
        await _rig.UntilAsync("notes", AppState.Running);
    }

    protected static AppManifest Notes() => new(
        "notes", AppType.User,
        [
            new ServiceManifest("web", "localhost/web:1") { DependsOn = On("db", DependencyCondition.Healthy) },
            new ServiceManifest("db", "localhost/db:1")
            {
                HealthCheck = new HealthCheckDefinition { Command = ["ready"] },
                Mounts = [new MountDefinition("/data", "db")],
            },
        ],
        [new ListenerDefinition("notes", 8080, ListenerFlow.Tcp, ListenerProtocol.Http, ListenerDefinition.DefaultRemotePorts) { Service = "web" }])
    {
        Volumes = ImmutableSortedDictionary<string, VolumeDefinition>.Empty.Add("db", new VolumeDefinition(VolumeKind.Data, null)),
        Secrets = ImmutableSortedDictionary<string, SecretDefinition>.Empty.Add("db", new SecretDefinition(SecretFormat.Alnum, 32)),
    };

    protected static ImmutableSortedDictionary<string, DependencyCondition> On(string service, DependencyCondition condition) =>
        ImmutableSortedDictionary.Create<string, DependencyCondition>(StringComparer.Ordinal).Add(service, condition);
}
