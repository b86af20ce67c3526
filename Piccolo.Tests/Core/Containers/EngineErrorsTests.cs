using Piccolo.Core.Containers;

namespace Piccolo.Tests.Core.Containers;

internal sealed class EngineErrorsTests
{
    [TestCase("reading manifest V9 in docker.io/library/nginx: manifest unknown: manifest unknown", ContainerFaultKind.ImageNotFound)]
    [TestCase("initializing source docker://x/y:latest: reading manifest latest in x/y: unauthorized: authentication required",
        ContainerFaultKind.ImageNotFound)]
    [TestCase("requested access to the resource is denied", ContainerFaultKind.ImageNotFound)]
    [TestCase("pinging container registry r.example: Get \"https://r.example/v2/\": dial tcp: lookup r.example: no such host",
        ContainerFaultKind.RegistryUnreachable)]
    [TestCase("tls: failed to verify certificate: x509: certificate signed by unknown authority", ContainerFaultKind.RegistryUnreachable)]
    [TestCase("toomanyrequests: You have reached your pull rate limit", ContainerFaultKind.RateLimited)]
    [TestCase("received unexpected HTTP status: 429 Too Many Requests; not found in cache, access denied", ContainerFaultKind.RateLimited)]
    [TestCase("something new", ContainerFaultKind.Refused)]
    public void FromPull_EnginesWords_BecomeAFaultWithoutThem(string text, ContainerFaultKind kind)
    {
        var fault = EngineErrors.FromPull(ImageReference.Parse("x/y:1"), text);

        Assert.That(fault.Kind, Is.EqualTo(kind));
        Assert.That(fault.Sentence, Does.Contain("x/y:1").And.Not.Contain(text));
        Assert.That(fault.NextStep, Is.Not.Empty);
    }
}
