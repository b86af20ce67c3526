using Piccolo.Core.Containers;

namespace Piccolo.Tests.Core.Containers;

internal sealed class EngineErrorsTests
{
    [TestCase("reading manifest V9 in docker.io/library/nginx: manifest unknown: manifest unknown", ContainerFaultKind.ImageNotFound)]
    [TestCase("initializing source docker://x/y:latest: reading manifest latest in x/y: unauthorized: authentication required",
        ContainerFaultKind.SignInNeeded)]
    [TestCase("errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required", ContainerFaultKind.SignInNeeded)]
    [TestCase("reading manifest 1 in ghcr.example/x/y: denied", ContainerFaultKind.SignInNeeded)]
    [TestCase("choosing an image from manifest list docker://x/y:1: no image found in manifest list for architecture arm64, variant \"v8\", OS linux",
        ContainerFaultKind.NoPlatform)]
    [TestCase("no image found in image index for architecture \"arm64\", variant \"v8\", OS \"linux\"", ContainerFaultKind.NoPlatform)]
    [TestCase("writing blob: storing blob to file \"/var/tmp/storage1/2\": write /var/tmp/storage1/2: no space left on device", ContainerFaultKind.NoSpace)]
    [TestCase("Get \"https://r.example/v2/\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        ContainerFaultKind.RegistryUnreachable)]
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
        Assert.That(fault.Sentence, kind == ContainerFaultKind.NoSpace ? Does.Contain("no space") : Does.Contain("x/y:1"));
        Assert.That(fault.Sentence, Does.Not.Contain(text).And.EndsWith("."));
        Assert.That(fault.NextStep, Is.Not.Empty);
    }

    [Test]
    public void FromPull_RegistryThatNamesATime_IsAskedThen()
    {
        var fault = EngineErrors.FromPull(ImageReference.Parse("x/y:1"), "toomanyrequests: retry-after: 1800s");

        Assert.That((fault.RetryAfter, fault.NextStep),
            Is.EqualTo((TimeSpan.FromMinutes(30), "It wants to be asked again in 30 min. Retrying automatically then.")));
    }

    [Test]
    public void FromPull_EachKind_HasASentenceOfItsOwn()
    {
        string[] said =
        [
            "denied:", "no image found in manifest list for architecture", "no space left on device", "toomanyrequests", "manifest unknown", "tls:", "?",
        ];

        Assert.That(said.Select(text => EngineErrors.FromPull(ImageReference.Parse("x/y:1"), text).Sentence), Is.Unique);
    }
}
