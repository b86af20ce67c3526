using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Api.Http;

/// <summary>The limits of the server as the whole appliance sets them: each setting arrives, and no two places set the same limit.</summary>
[Category("Sealed")]
internal sealed class ServerLimitsTests
{
    private TestAppliance _appliance = null!;

    [OneTimeSetUp]
    public void SetUp() => _appliance = new TestAppliance(
        null, ("Piccolo:Http:HeadersTimeout", "00:00:04"), ("Piccolo:Http:KeepAliveTimeout", "00:00:41"), ("Piccolo:Http:MinBodyRate", "17"),
        ("Piccolo:Http:BodyGrace", "00:00:07"),
        ("Piccolo:Http:MaxHeaderBytes", "5000"), ("Piccolo:Http:MaxHeaders", "23"), ("Piccolo:Http:MaxRequestLineBytes", "3000"),
        ("Piccolo:Ingress:SendTimeout", "00:01:30"), ("Piccolo:Ingress:MaxConnections", "333"), ("Piccolo:Ingress:MaxStreamsPerConnection", "19"));

    [OneTimeTearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [Test]
    public void Settings_OfTheWholeAppliance_ReachTheServer()
    {
        var limits = _appliance.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits;

        Assert.That((limits.RequestHeadersTimeout.TotalSeconds, limits.KeepAliveTimeout.TotalSeconds), Is.EqualTo((4, 41)));
        Assert.That((limits.MinRequestBodyDataRate!.BytesPerSecond, limits.MinRequestBodyDataRate.GracePeriod.TotalSeconds), Is.EqualTo((17, 7)));
        Assert.That(limits.MinResponseDataRate!.GracePeriod.TotalSeconds, Is.EqualTo(90));
        Assert.That((limits.MaxRequestHeadersTotalSize, limits.Http2.MaxRequestHeaderFieldSize, limits.MaxRequestLineSize),
            Is.EqualTo((20_000, 20_000, 20_000)), "four times ours, which are refused before");
        Assert.That((limits.MaxConcurrentUpgradedConnections, limits.Http2.MaxStreamsPerConnection, limits.MaxRequestHeaderCount), Is.EqualTo((333L, 19, 23)));
    }

    [Test]
    public void Limits_OfTheServer_AreSetInOnePlaceEach()
    {
        var setters = _appliance.Services.GetServices<IConfigureOptions<KestrelServerOptions>>().Select(Changed).ToList();

        Assert.That(setters.SelectMany(s => s), Is.Unique.And.Not.Empty);
    }

    /// <summary>Which limits differ from the server's defaults after one configurator.</summary>
    private List<string> Changed(IConfigureOptions<KestrelServerOptions> configure)
    {
        var (options, defaults) = (new KestrelServerOptions { ApplicationServices = _appliance.Services }, new KestrelServerOptions());
        configure.Configure(options);
        return [.. Values(options.Limits).Concat(Values(options.Limits.Http2)).Except(Values(defaults.Limits).Concat(Values(defaults.Limits.Http2)))
            .Select(v => v.Name)];
    }

    private static IEnumerable<(string Name, object? Value)> Values(object limits) => limits.GetType().GetProperties()
        .Where(p => p.PropertyType != typeof(Http2Limits) && p.PropertyType != typeof(Http3Limits))
        .Select(p => (p.Name, p.GetValue(limits) is MinDataRate rate ? (rate.BytesPerSecond, rate.GracePeriod) : p.GetValue(limits)));
}
