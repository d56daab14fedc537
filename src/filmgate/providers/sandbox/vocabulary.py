"""The words the sandbox understands, English and Chinese, as data: add a word here, not in code.

English entries match whole words (a trailing plural s is allowed); Chinese entries match
anywhere. A scene's number is how strongly the word speaks for it.
"""

SCENES: dict[str, dict[str, int]] = {
    "water": {
        "lake sea ocean fjord lagoon 湖 海 洋": 4,
        "sailboat sail boat ship yacht 帆船 船 舟": 4,
        "water wave waves river harbor harbour beach coast tide 水面 波浪 浪 河 江 沙滩 海滩": 3,
        "island shore moonlit 岛 岸": 2,
        "sunrise sunset dawn dusk reflection reflecting 日出 日落 夕阳 朝阳 倒影": 1,
    },
    "city": {
        "city neon cyberpunk downtown skyscraper tokyo 城市 都市 霓虹 赛博朋克 摩天": 4,
        "street streets traffic highway avenue 街 街道 街头 马路 公路": 4,
        "car cars driving drive racing motorcycle taxi 汽车 跑车 赛车 车流 驾驶 飞驰": 4,
        "building buildings urban road 楼 大厦 路": 2,
    },
    "dunes": {
        "mars martian dune dunes desert sahara 火星 沙丘 沙漠 戈壁 大漠": 5,
        "rocket launch launching liftoff spaceship 火箭 发射 飞船": 4,
        "sand canyon camel 沙 峡谷 骆驼": 2,
    },
    "studio": {
        "tabletop table studio product showcase commercial 桌 桌面 影棚 产品 商品 广告 展示": 4,
        "ball bouncing bounce sphere marble 球 弹跳 弹起 小球": 5,
        "diamond gem jewel crystal perfume bottle watch luxury 钻石 宝石 珠宝 水晶 香水 奢华": 3,
        "cup phone shoe object 杯 手机 鞋 物体": 2,
    },
    "hills": {
        "mountain mountains hill hills valley peak alps 山 群山 山谷 峰 丘陵": 4,
        "forest tree trees pine woods jungle 森林 树林 林 树 竹": 4,
        "garden meadow field grass flower blossom 花园 草地 草原 田野 花 樱花": 3,
        "cat dog horse deer fox bird panda house village 猫 狗 马 鹿 狐 鸟 熊猫 房子 村": 2,
        "misty fog foggy mist snow snowy spring autumn 雾 雪 春 秋 云海": 1,
        "aurora lantern lanterns firefly fireflies 极光 孔明灯 灯笼 萤火虫": 1,
    },
    "space": {
        "space planet nebula galaxy cosmos universe 太空 行星 星云 银河 宇宙 星系": 5,
        "saturn jupiter orbit astronaut satellite asteroid comet 土星 木星 宇航员 卫星 彗星": 4,
        "star stars starry moon alien 星空 星球 星辰 月球 外星": 2,
    },
    "silk": {
        "abstract silk velvet fluid ink smoke flow 抽象 丝绸 丝绒 流体 水墨 烟雾": 4,
        "dream dreamy music color colour pattern 梦 梦幻 音乐 色彩 图案": 1,
    },
}
"""Which family of pictures a prompt asks for; the first of the highest sums wins."""

SUBJECTS: dict[str, str] = {
    "sailboat": "sailboat sail boat ship yacht 帆船 船 舟",
    "car": "car cars driving racing taxi 汽车 跑车 赛车 车",
    "rocket": "rocket launch launching liftoff spaceship 火箭 飞船 发射",
    "ball": "ball bouncing bounce sphere marble 球 弹跳",
    "mist": "mist misty fog foggy haze 雾 薄雾 晨雾 云海",
    "rings": "ring rings ringed saturn 光环 土星 环",
    "once": "once 一次 一下",
    "crystal": "crystal glass gem diamond 水晶 玻璃 钻石",
    "moon": "moon moonlit moonlight 月 月亮 月光",
    "forest": "forest pine tree trees woods jungle 森林 树 林",
}
"""Things inside a scene."""

PALETTES: dict[str, str] = {
    "aurora": "aurora northern polar 极光 北极",
    "mars": "mars martian 火星",
    "storm": "storm stormy thunder tempest hurricane 暴风 风暴 雷 暴雨 暴风雨",
    "neon": "neon cyberpunk synthwave vaporwave 霓虹 赛博朋克",
    "sunrise": "sunrise dawn morning 日出 黎明 清晨 晨光 朝阳 早晨",
    "sunset": "sunset dusk evening golden amber 日落 黄昏 夕阳 傍晚 金色 晚霞",
    "night": "night midnight moon moonlit dark starry 夜 夜晚 深夜 月 月光 星空",
    "dream": "dream dreamy pastel magical fairy fantasy violet purple 梦 梦幻 童话 奇幻 紫",
    "day": "day noon sunny summer spring blue clear bright 白天 晴 夏 春 蓝天 阳光 明亮",
}
"""The light of a scene; the first that a prompt names wins."""

PARTICLES: dict[str, str] = {
    "rain": "rain rainy raining rainfall storm stormy downpour 雨 暴风雨",
    "snow": "snow snowy snowing snowfall winter blizzard 雪 冬",
    "petals": "petal petals blossom blossoms sakura cherry 花瓣 樱花 落花",
    "fireflies": "firefly fireflies glowing magical fairy 萤火虫 流萤 萤光",
    "embers": "ember embers fire spark sparks flame 火星四溅 火花 火焰 余烬",
    "lanterns": "lantern lanterns 灯笼 孔明灯 天灯",
    "leaves": "leaf leaves autumn 落叶 秋",
}
"""What falls or floats in front."""

CAMERAS: dict[str, str] = {
    "pull": "zoom-out pull pulls pullback 拉远 后退 拉开 拉镜",
    "orbit": "orbit orbiting rotating rotate rotates around turn 环绕 旋转 绕 转",
    "pan": "pan panning track tracking sideways 平移 横移 摇镜 跟拍",
    "push": "push push-in zoom zoom-in dolly closer forward 推进 推近 推镜 拉近 放大",
}
"""How the camera moves; the first that a prompt names wins."""

COLOURS: dict[str, tuple[str, str]] = {
    "red": ("red crimson scarlet 红", "#d8182a"),
    "orange": ("orange 橙 橘", "#f07818"),
    "yellow": ("yellow gold golden 黄 金", "#f2bf2a"),
    "green": ("green emerald 绿 翠", "#23a455"),
    "blue": ("blue sapphire 蓝", "#2468dc"),
    "purple": ("purple violet 紫", "#8a3cd8"),
    "pink": ("pink 粉", "#f06aa4"),
    "black": ("black 黑", "#23252b"),
    "white": ("white 白", "#eef0f2"),
    "silver": ("silver grey gray 银 灰", "#aeb6c0"),
}
"""Colour words, for the subject: what they are called and what they look like."""

LOOKS: dict[str, str] = {
    "noir": "noir monochrome black-and-white grayscale vintage 黑白 胶片 老电影 复古",
    "sketch": "sketch pencil drawing charcoal manga 素描 铅笔 手绘 速写",
    "cartoon": "cartoon anime comic ghibli toon illustration 卡通 动漫 动画 漫画 插画",
    "neon": "neon cyberpunk synthwave night 霓虹 赛博朋克 夜",
    "dream": "dream dreamy soft glow pastel fantasy magical 梦 梦幻 柔 童话 奇幻",
    "cool": "cool cold winter snow snowy blue ice frozen rain rainy 冷 冬 雪 蓝 冰 雨",
    "warm": "warm sunset sunrise golden autumn summer sunny 暖 日落 日出 金色 秋 夏 阳光 晨光",
}
"""How an edit restyles a video; the first that a prompt names wins."""
