"""The passwords that are guessed first, of eight characters and more."""

_LIST = """
00000000 01012011 0123456789 098765432 0987654321 10203040 11111111 1111111111 11112222 11223344
112233445566 12121212 12123434 123123123 123321123 12341234 12344321 1234512345 12345678
123456780 123456789 1234567890 1234567891 12345678910 123456789a 12345678a 1234567a 12345qwert
1234abcd 1234qwer 123654789 123qweasd 123qweasdzxc 13131313 135792468 147258369 147852369
159357456 159753456 19841984 19871987 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc
1qazxsw2 20202020 22222222 222222222 23456789 33333333 44444444 55555555 55555555555 66666666
66668888 77777777 777777777 87654321 88888888 888888888 963852741 98765432 987654321 9876543210
99999999 999999999 a1234567 a12345678 a123456789 aa123456 aa12345678 aaaaaaaa abc12345 abc123456
abcd1234 abcdefgh abcdefghi access14 admin123 admin1234 adminadmin administrator alexander
alexandra apple123 arsenal1 asd12345 asdasdasd asdf1234 asdfasdf asdfghjk asdfghjkl asdfjkl;
babygirl babygirl1 barcelona baseball baseball1 basketball benjamin bigdaddy bismillah blahblah
blink182 bluebird brooklyn butterfly carolina caroline celtic1888 changeme changeme1 changeme123
charlie1 charlotte cheesecake chelsea1 chicken1 chocolate christian christina christopher
cocacola computer computer1 consumer danielle darkness dearbook diamond1 dkssudgktpdy dolphin1
dolphins dragon123 dragonball einstein elephant elizabeth everything facebook fernando firebird
flower123 football football1 forever1 fortnite franklin freedom1 friends1 fuckyou1 fuckyou2
gabriela garfield gladiator godzilla goldfish good1234 google123 graphics greenday guitar12
harley01 hello123 hello1234 hellohello helloworld heyhey123 iloveyou iloveyou1 iloveyou12
iloveyou2 imissyou infinity internet isabella italy2006 jackson5 jasmine1 jennifer jessica1
jonathan jordan23 juventus kawasaki kimberly kingkong korea1234 kristina lalalala letmein1
letmein123 liverpool liverpool1 love1234 lovelove loveme123 loveyou1 lucky123 mahalkita
manchester margaret marlboro maverick melissa1 mercedes metallic metallica michael1 michelle
microsoft midnight mitchell monkey123 monster1 mountain mustang1 mypassword naruto123 ncc1701d
nicholas nicole123 nintendo nirvana1 november p@ssw0rd p@ssword pa$$word pa55word pass1234
pass12345 passw0rd passw0rd1 passwd123 password password! password01 password1 password1!
password11 password12 password123 password1234 password12345 password2 password3 password99
passwort patience patricia pavilion peanut123 penguin1 people12 pepper12 picky123 pickypicky
platinum playboy1 player123 pokemon1 pokemon123 porsche1 precious princess princess1 psycho123
q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6 qazwsx123 qazwsxedc qazwsxedcrfv qqqqqqqq qqww1122 qwe12345
qwe123456 qweasd123 qweasdzxc qweqweqwe qwer1234 qwerasdf qwert123 qwert1234 qwerty12 qwerty123
qwerty1234 qwerty12345 qwerty123456 qwertyui qwertyuiop qwertzuiop raiders1 rainbow1 rangers1
rebecca1 redsox04 rhkdwn12 richard1 samantha samsung1 samsung123 sandrine sarang12 saranghae
saranghaeyo scarface scorpion sebastian secret123 security september serenity sharks123 shopping
slipknot snowball soccer12 softball southside spiderma spiderman spongebob starcraft stargate
starlight startrek starwars starwars1 steelers stephanie strawberry sunflower sunshine sunshine1
superman superman1 superstar sweetheart sweetpea swordfish tequiero test1234 test12345 testtest
thailand thebest1 therock1 thomas123 thunder1 tigger123 tinkerbell tottenham trustno1 trustnoone
tweety123 undertaker unicorn1 universal user1234 valentina vampire1 vanessa1 veronica victoria
victory1 virginia volleyball warcraft warcraft1 warrior1 web12345 webmaster welcome1 welcome12
welcome123 welcome2 whatever whatever1 william1 windows1 wolfgang wonderful xbox360live yankees1
yourmama z1x2c3v4 zaq12wsx zaq1xsw2 zaq1zaq1 zxcv1234 zxcvbnm, zxcvbnm1 zxcvbnm123 zxczxczxc
zzzzzzzz
"""
_COMMON = frozenset(_LIST.split())


def is_common(password: str) -> bool:
    """Whether the password is on the list, whatever its case, or one character over and over."""
    return password.lower() in _COMMON or len(set(password)) == 1
