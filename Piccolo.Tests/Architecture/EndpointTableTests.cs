using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Piccolo.Api.Http;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>Rules over the table of routes: no write without a declared guard, no ordinary body parameter.</summary>
internal sealed class EndpointTableTests
{
    private TestAppliance _appliance = null!;
    private IReadOnlyList<RouteEndpoint> _endpoints = null!;

    [OneTimeSetUp]
    public void SetUp()
    {
        _appliance = new TestAppliance();
        _endpoints = [.. _appliance.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()];
    }

    [OneTimeTearDown]
    public async Task TearDown() => await _appliance.DisposeAsync();

    [Test]
    public void Writes_AllDeclareALeaderGuardOrAReason()
    {
        var writes = _endpoints.Where(e => Methods(e).Any(m => m is not ("GET" or "HEAD" or "OPTIONS"))).ToList();

        Assert.That(writes, Has.Count.GreaterThan(10));
        Assert.That(writes.Where(e => e.Metadata.GetMetadata<LeaderGuard>() is null && e.Metadata.GetMetadata<LocalWrite>() is not { Reason.Length: > 0 })
            .Select(e => e.DisplayName), Is.Empty);
    }

    [Test]
    public void Writes_OfTheStore_AreForTheUnlockedOwnerOnly() => Assert.That(
        _endpoints.Where(e => e.Metadata.GetMetadata<LeaderGuard>() is not null && (e.Metadata.GetMetadata<OwnerGuard>() is null || e.Metadata.GetMetadata<UnlockedGuard>() is null))
            .Select(e => e.DisplayName), Is.Empty);

    /// <summary>Ordinary binding would read the whole body before a follower could say where to go instead.</summary>
    [Test]
    public void Bodies_AreReadByTheHandlerOnly()
    {
        Assert.That(_endpoints.Where(e => e.Metadata.GetMetadata<IAcceptsMetadata>() is not null).Select(e => e.DisplayName), Is.Empty);
        Assert.That(_endpoints.Count(e => e.Metadata.GetMetadata<LazyBody>() is not null), Is.GreaterThan(5));
    }

    private static IReadOnlyList<string> Methods(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"];
}
