using Piccolo.Api.Auth;
using Piccolo.Api.Certificates;
using Piccolo.Core.Certificates;

namespace Piccolo.Tests.Api;

internal sealed class CertificateMappingTests
{
    [TestCase(CertificateStatus.Renewing, 3)]
    [TestCase(CertificateStatus.Error, 2)]
    public void Attempts_CountTheOneUnderWay_FailuresDoNot(CertificateStatus status, int attempts)
    {
        var response = new CertificateEntry("host:web.home.test", [], status) { Failures = 2 }.ToResponse();

        Assert.That((response.Attempts, response.Failures), Is.EqualTo((attempts, 2)));
    }
}
