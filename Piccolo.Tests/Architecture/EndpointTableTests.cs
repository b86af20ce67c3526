using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>Rules over the table of routes: no route without a declared guard or a reason to have none, no ordinary body parameter.</summary>
internal sealed class EndpointTableTests
{
    private TestAppliance _appliance = null!;
    private IReadOnlyList<RouteEndpoint> _endpoints = null!;
    private IReadOnlyList<ApiRoute> _routes = null!;

    /// <summary>Routes that ask for no session and no token, and why. Whoever adds one says so here.</summary>
    private static readonly Dictionary<string, string> Public = new()
    {
        ["GET /health/live"] = "the system's health checker has no session; says one word",
        ["GET /health/ready"] = "the system's health checker has no session; names no secret",
        ["GET /api/v1/health/live"] = "as /health/live",
        ["GET /api/v1/health/ready"] = "as /health/ready",
        ["GET /api/v1/health/detail"] = "an owner who cannot log in must see why; sentences without secrets",
        ["GET /version"] = "the device certificate's fingerprint is compared before the password is typed",
        ["GET /metrics"] = "this machine, or a bearer token: its own check (MetricsTests)",
        ["GET /api/v1/openapi.yaml"] = "the document is the same on every appliance",
        ["GET /swagger/{documentName}/swagger.json"] = "as the document",
        ["HEAD /swagger/{documentName}/swagger.json"] = "as the document",
        ["GET /api/v1/crypto/status"] = "the portal must know whether to ask for set-up, unlock or login",
        ["GET /api/v1/auth/session"] = "as crypto/status; says whether the caller has a session",
        ["GET /api/v1/auth/initialized"] = "as crypto/status",
        ["POST /api/v1/crypto/setup"] = "there is no owner yet; from the own network only",
        ["POST /api/v1/auth/setup"] = "as crypto/setup",
        ["POST /api/v1/crypto/unlock"] = "the password is the proof",
        ["POST /api/v1/auth/login"] = "the password is the proof",
        ["POST /api/v1/crypto/reset-password"] = "the recovery words are the proof",
        ["POST /api/v1/exports/import"] = "only onto a box that has no owner; from the own network only",
        ["POST /api/v1/system/faults/{code}/clear"] = "the owner while unlocked, else the own network: its own filter",
    };

    [OneTimeSetUp]
    public void SetUp()
    {
        _appliance = new TestAppliance();
        _routes = ApiRoute.AllOf(_appliance);
        _endpoints = [.. _routes.Select(r => r.Endpoint).Distinct()];
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
    public void Routes_ReadsAndWrites_NeedTheOwnerOrStandOnTheListOfPublicOnes() => Assert.That(
        _routes.Where(r => r.Endpoint.Metadata.GetMetadata<OwnerGuard>() is null).Select(r => r.ToString()).Except(Public.Keys), Is.Empty);

    [Test]
    public void PublicRoutes_OnTheList_AreThereAndAskForNoOwner() => Assert.That(
        Public.Keys.Except(_routes.Where(r => r.Endpoint.Metadata.GetMetadata<OwnerGuard>() is null).Select(r => r.ToString())), Is.Empty);

    /// <summary>The store is closed while locked: who needs the owner needs it open, or would answer 401 where 423 is the truth.</summary>
    [Test]
    public void Routes_ForTheOwner_AreForTheUnlockedBoxOnly() => Assert.That(
        _endpoints.Where(e => e.Metadata.GetMetadata<OwnerGuard>() is not null && e.Metadata.GetMetadata<UnlockedGuard>() is null).Select(e => e.DisplayName),
        Is.Empty);

    [Test]
    public void Writes_OfTheStore_AreForTheUnlockedOwnerOnly() => Assert.That(
        _endpoints.Where(e => e.Metadata.GetMetadata<LeaderGuard>() is not null
            && (e.Metadata.GetMetadata<OwnerGuard>() is null || e.Metadata.GetMetadata<UnlockedGuard>() is null))
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
