using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;

namespace Piccolo.Core.Certificates.Hosting;

/// <summary>Adds certificates. The host provides an <see cref="OrderGate"/>.</summary>
public static class CertificatesServiceCollectionExtensions
{
    public static IServiceCollection AddCertificates(this IServiceCollection services)
    {
        services.AddOptions<AcmeOptions>().BindConfiguration(AcmeOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<AcmeOptions>, AcmeOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Http01Challenges>();
        services.TryAddSingleton<ServerCertificateTable>();
        services.TryAddSingleton<ICertificateStore>(s => new SealedCertificateStore(s.GetRequiredService<SealedStore>()));
        services.TryAddSingleton(s => new TlsAlpn01Challenges(s.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(s => CertificateEngine.Create(new CertificateEngineParts(
            s.GetRequiredService<IOptions<AcmeOptions>>().Value,
            s.GetRequiredService<ICertificateStore>(),
            s.GetRequiredService<Http01Challenges>(),
            s.GetRequiredService<TlsAlpn01Challenges>(),
            s.GetRequiredService<ServerCertificateTable>(),
            s.GetRequiredService<OrderGate>(),
            new TrackedCertificateHealth(s.GetRequiredService<HealthTracker>()),
            s.GetRequiredService<TimeProvider>(),
            Random.Shared.NextDouble,
            s.GetRequiredService<ILoggerFactory>())));
        services.TryAddSingleton(s => s.GetRequiredService<CertificateEngine>().Scheduler);
        services.TryAddSingleton(s => s.GetRequiredService<CertificateEngine>().Inventory);
        services.AddSingleton<IHostedService>(s => s.GetRequiredService<CertificateEngine>().Loop);
        return services;
    }
}
