using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Hosting;
using Piccolo.Core.Certificates.Orders;
using Piccolo.Core.Certificates.Scheduling;
using Piccolo.Core.ControlStore;
using Piccolo.Core.Health;
using Piccolo.Core.Primitives;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Certificates;

internal sealed class CertificatesRegistrationTests
{
    [Test]
    public async Task AddCertificates_WithStoreAndGate_GivesOneEngine()
    {
        using var folder = new TemporaryFolder();
        await using var services = Services(folder.Path).BuildServiceProvider();

        Assert.That(services.GetRequiredService<RenewalScheduler>(), Is.SameAs(services.GetRequiredService<CertificateEngine>().Scheduler));
        Assert.That(services.GetRequiredService<CertificateInventory>().List(), Is.Empty);
        Assert.That(services.GetServices<IHostedService>().Single(), Is.InstanceOf<RenewalLoop>());
        Assert.That(services.GetRequiredService<Http01Challenges>(), Is.Not.Null);
    }

    [Test]
    public void AddCertificates_BadOptions_RefusesWithEveryReason()
    {
        using var folder = new TemporaryFolder();
        using var services = Services(folder.Path).Configure<AcmeOptions>(o =>
        {
            o.DirectoryUrl = new Uri("http://ca.test/");
            o.Email = "nobody";
        }).BuildServiceProvider();

        var error = Assert.Throws<OptionsValidationException>(() => _ = services.GetRequiredService<IOptions<AcmeOptions>>().Value);

        Assert.That(error!.Failures.Count(), Is.EqualTo(2), error.Message);
    }

    private static IServiceCollection Services(string folder) => TestServices.New()
        .AddSingleton<ILoggerFactory>(new CapturedLog()).AddLogging()
        .AddSingleton(TimeProvider.System)
        .AddSingleton(new StatePaths(folder))
        .AddSingleton<HealthTracker>()
        .AddSingleton<SealedStore>()
        .AddSingleton(new OrderGate(_ => true, new ChangeSignal()))
        .AddCertificates();
}
