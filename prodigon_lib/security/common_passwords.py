"""The passwords of eight characters and more that are tried first, in small letters."""

COMMON = frozenset(
    """
    00000000 01234567 0123456789 11111111 11223344 12121212 123123123 12341234 12344321 12345678 123456789
    1234567890 123456789a 1234567a 123qweasd 147258369 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 87654321 88888888
    987654321 9876543210 a1234567 a12345678 aa123456 aa12345678 abc12345 abcd1234 abcdefgh abcdefghi
    access14 admin123 admin1234 adminadmin administrator alexander asdf1234 asdfasdf asdfghjk asdfghjkl
    azertyuiop babygirl baseball basketball blink182 butterfly carolina caroline changeit changeme
    changeme123 charlotte cheese123 chelsea1 chocolate christian christopher computer corvette danielle
    december default1 dragon123 elephant elizabeth estrella football football1 freedom1 garfield greenday
    guest123 hardcore hello123 hello1234 helloworld iloveyou iloveyou1 internet jennifer jessica1 jonathan
    kimberly letmein1 letmein123 liverpool login123 lovelove manchester marlboro maverick mercedes metallica
    michael1 michelle midnight minecraft monkey123 mustang1 nicholas operator p@ssw0rd p@ssword pa55word
    pass1234 passpass passw0rd password password! password1 password1! password12 password123 password1234
    password2 patricia pokemon1 precious princess princess1 prodigon prodigon1 prodigon123 q1w2e3r4
    q1w2e3r4t5 qazwsxedc qwaszx123 qwer1234 qwerasdf qwerqwer qwerty12 qwerty123 qwerty1234 qwertyui
    qwertyuiop rainbow1 root1234 rootroot samantha samsung1 scooter1 scorpion secret123 september shadow12
    slipknot snowball spiderman starwars steelers stephanie summer2025 summer2026 sunshine sunshine1
    superman superman1 superstar swordfish teacher1 test1234 testing1 testtest tinkerbell trustno1 veronica
    victoria welcome1 welcome12 welcome123 whatever winter2025 winter2026 zaq12wsx zxcvbnm1 zxcvbnm123
    """.split()
)
