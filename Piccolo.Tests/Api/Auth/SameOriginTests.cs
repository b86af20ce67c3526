using Microsoft.AspNetCore.Http;
using Piccolo.Api.Security;

namespace Piccolo.Tests.Api.Auth;

internal sealed class SameOriginTests
{
    [TestCase("https", "portal.home.test", null, true)]
    [TestCase("https", "portal.home.test", "https://portal.home.test", true)]
    [TestCase("https", "portal.home.test:443", "https://portal.home.test", true)]
    [TestCase("https", "portal.home.test", "https://portal.home.test:443", true)]
    [TestCase("http", "nas.local:80", "http://nas.local", true)]
    [TestCase("http", "NAS.local", "http://nas.local:80", true)]
    [TestCase("http", "192.168.1.5:8080", "http://192.168.1.5:8080", true)]
    [TestCase("http", "[fd00::1]:8080", "http://[fd00:0::1]:8080", true)]
    [TestCase("https", "xn--bcher-kva.test", "https://xn--bcher-kva.test", true)]
    [TestCase("https", "portal.home.test", "http://portal.home.test", false)]
    [TestCase("http", "nas.local:8080", "http://nas.local", false)]
    [TestCase("http", "nas.local:35000", "http://nas.local:35001", false)]
    [TestCase("https", "portal.home.test", "https://evil.example", false)]
    [TestCase("https", "portal.home.test", "https://portal.home.test.evil.example", false)]
    [TestCase("https", "portal.home.test", "https://user@portal.home.test", false)]
    [TestCase("https", "portal.home.test", "https://portal.home.test/path", false)]
    [TestCase("https", "portal.home.test", "null", false)]
    [TestCase("https", "portal.home.test", "portal.home.test", false)]
    [TestCase("https", "portal.home.test", "", true)]
    public void IsSameOrigin_ComparesOriginsAndNotTexts(string scheme, string host, string? origin, bool expected)
    {
        var request = new DefaultHttpContext().Request;
        (request.Scheme, request.Headers.Host) = (scheme, host);
        if (origin is not null) request.Headers.Origin = origin;

        Assert.That(SameOriginFilter.IsSameOrigin(request), Is.EqualTo(expected));
    }

    [Test]
    public void Refusal_NamesBothOrigins()
    {
        var request = new DefaultHttpContext().Request;
        (request.Scheme, request.Headers.Host, request.Headers.Origin) = ("https", "portal.home.test", "https://evil.example");

        Assert.That(SameOriginFilter.Refusal(request).ProblemDetails.Detail, Does.Contain("https://evil.example").And.Contain("https://portal.home.test"));
    }
}
