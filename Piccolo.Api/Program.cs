using Piccolo.Api.Composition;
using Piccolo.Api.Health;
using Piccolo.Api.Ingress.Composition;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Api.Listeners;
using Piccolo.Api.Metrics;
using Piccolo.Api.Platform;
using Piccolo.Api.Portal;
using Piccolo.Api.Remote;
using Piccolo.Core.Apps;
using Piccolo.Core.Audit;
using Piccolo.Core.Auth;
using Piccolo.Core.Certificates.Hosting;
using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Exports;
using Piccolo.Core.Jobs;
using Piccolo.Core.Leadership;
using Piccolo.Core.Listeners;
using Piccolo.Core.Locking;
using Piccolo.Core.Remote;
using Piccolo.Core.Tunnel;
using Piccolo.Core.Vault;
using Piccolo.Core.Volumes;

try
{
    TlsSettings.Apply();
    var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
    builder.WebHost.UseKestrelHttpsConfiguration();
    builder.AddSettings(args);
    var state = builder.TakeStateDirectory();
    builder.AddPlatform(state);
    builder.Services
        .AddHealth()
        .AddTelemetry(builder.Configuration)
        .AddVault()
        .AddLeadership()
        .AddControlStore()
        .AddOwnerAuth()
        .AddListeners()
        .AddContainers()
        .AddVolumes()
        .AddApps()
        .AddCertificates()
        .AddTunnel()
        .AddRemoteAccess()
        .AddIngress()
        .AddLocking()
        .AddListenerUpkeep()
        .AddJobs()
        .AddExports()
        .AddAudit()
        .AddApi();

    var app = builder.Build();
    app.UseProbeAnswer();
    app.UseIngress();
    app.UseApi();
    app.UsePortal();
    app.MapApi();
    app.RunUntilLocked();
}
catch (Exception failure) when (StartFault.Of(failure) is { } fault)
{
    fault.Report();
}
