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
        var bound = _endpoints.Where(e => e.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType is { } type && !DeclaredByLazyBody(e, type)).Select(e => e.DisplayName);

        Assert.That(bound, Is.Empty);
    }

    private static bool DeclaredByLazyBody(RouteEndpoint endpoint, Type type)
    {
        var method = endpoint.Metadata.GetMetadata<System.Reflection.MethodInfo>()!;
        return method.GetParameters().Any(p =>
            p.ParameterType == typeof(Piccolo.Api.Apps.ManifestBody)
            || (p.ParameterType.IsGenericType && p.ParameterType.GetGenericTypeDefinition() == typeof(RequestBody<>) && p.ParameterType.GenericTypeArguments[0] == type));
    }

    private static IReadOnlyList<string> Methods(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"];
}
