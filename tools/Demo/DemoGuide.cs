using Piccolo.Rig.Stack;

namespace Piccolo.Demo;

/// <summary>What a person can do with a demo that stays up.</summary>
internal static class DemoGuide
{
    public static string For(DemoStack stack)
    {
        var api = stack.Api.BaseAddress.ToString().TrimEnd('/');
        return $"""

            Portal      {api}/   (password: {DemoEndpoints.Password})
            API         {api}/api/v1   (try it: {api}/swagger)
            Addresses   artifacts/demo/endpoints.json

            TOKEN=$(sed -n 's/.*"bearer_token": "\(.*\)".*/\1/p' artifacts/demo/endpoints.json)

            # the app, as a stranger on the internet gets it
            curl --cacert {stack.RootFile} --connect-to web.home.test:443:127.0.0.1:{stack.RelayTlsPort} https://web.home.test/echo
            # what is installed, and where each listener answers
            curl -H "Authorization: Bearer $TOKEN" {api}/api/v1/services
            # how the tunnel and the certificates are
            curl -H "Authorization: Bearer $TOKEN" {api}/api/v1/remote/status
            # another node becomes the leader of the app: it stops here
            echo '{"{"}"app:web":{"{"}"role":"follower","leader":"https://10.0.0.2"{"}"}{"}"}' > {stack.LeadershipFile}
            # a write on a follower names the leader
            echo '{"{"}"control-plane":{"{"}"role":"follower","leader":"https://10.0.0.2"{"}"}{"}"}' > {stack.LeadershipFile}
            curl -i -X POST -H "Authorization: Bearer $TOKEN" {api}/api/v1/apps/web/stop

            Ctrl-C stops everything.
            """;
    }
}
