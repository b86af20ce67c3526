using System.Text;
using Piccolo.Core.Vault;

namespace Piccolo.Tests.Core.Vault;

/// <summary>The password's key is Argon2id of RFC 9106, version 0x13, with one lane, as other implementations derive it.</summary>
[Category("Sealed")]
internal sealed class PasswordKeyDerivationTests
{
    /// <summary>
    /// By the reference implementation's program, <c>printf PASSWORD | argon2 SALT -id -t PASSES -k KIB -p 1 -l 32 -r</c> (Debian's 20171227).
    /// </summary>
    [TestCase("password", "somesaltsomesalt", 2, 65536, "fc33b78139231d34b71626bd6245c1d72efa190ad605c3d8166a72adcedfa2c2")]
    [TestCase("password", "somesaltsomesalt", 2, 256, "cab746b4621993fdc91ec50787980b414a90a692f0bc68dfe19f9c25b3cba9ec")]
    [TestCase("password", "somesaltsomesalt", 1, 65536, "ec2b46acb6f8aec6804bf8df88feeca36a4412df3bea8d2cc99c08a9e8977a72")]
    [TestCase("differentpassword", "somesaltsomesalt", 2, 65536, "b2a645d33be125cd75f64b157793464041c0fd196b848a9f78508e1a0e5ce4c0")]
    [TestCase("password", "diffsaltdiffsalt", 2, 65536, "c22e7f0935f83ed7a0163bfd4f09a2014b94c9aa19dc681e7e781170dcfd1659")]
    [TestCase("password", "somesaltsomesalt", 3, 262144, "5f70c345ced0cbb8f42438b3aaf225369c337f548134c94e9f223c524751e52b")]
    [TestCase("password", "somesaltsomesalt", 4, 11, "f447936a3e2882b83b1a4de672e24b360982a8b7d258fc1f4773c51716971383")]
    public void DeriveBytes_AnyCost_IsWhatTheReferenceImplementationDerives(string password, string salt, int passes, int memoryKiB, string tag)
    {
        Span<byte> derived = stackalloc byte[32];

        PasswordKeyDerivation.DeriveBytes(Encoding.ASCII.GetBytes(password), Encoding.ASCII.GetBytes(salt), memoryKiB, passes, derived);

        Assert.That(Convert.ToHexStringLower(derived), Is.EqualTo(tag));
    }
}
